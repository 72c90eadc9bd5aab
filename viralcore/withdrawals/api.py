"""Withdrawal requests, approvals, payouts and their settling (PRODUCT 9). Not built yet: this package holds only this promise of where it will be."""
