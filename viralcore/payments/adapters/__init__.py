"""Payments over real chains and real price sources."""
