"""Simulators of third parties over their real wire formats, one world a file."""
