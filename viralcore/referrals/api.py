"""Referral binding, commissions and their reversal, statistics (PRODUCT 7). Not built yet: this package holds only this promise of where it will be."""
