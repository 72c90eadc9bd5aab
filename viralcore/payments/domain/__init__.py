"""Rules of payments, pure: states, hashes, what a transaction brought, whose it is, prices, quotes."""
