"""Use cases of boosts: the shop, drafts, orders, delivery, polling, and the desk that watches panels."""
