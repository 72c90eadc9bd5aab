"""Referral binding, commissions and their reversal, statistics (PRODUCT 7).

Not built yet: nothing here can be called.
"""
