"""The door of boosts in parts, one for each subject. Everybody imports them from `boosts.api`."""
