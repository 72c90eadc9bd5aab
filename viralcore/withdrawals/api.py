"""Withdrawal requests, approvals, payouts and their settling (PRODUCT 9).

Not built yet: nothing here can be called.
"""
