"""Every SQL statement of boosts, by what it is about."""
