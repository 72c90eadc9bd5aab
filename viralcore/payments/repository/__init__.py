"""Every SQL statement of payments."""
