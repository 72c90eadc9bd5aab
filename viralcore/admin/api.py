"""Searches, adjustments and reports for staff (PRODUCT 11).

Not built yet: nothing here can be called.
"""
