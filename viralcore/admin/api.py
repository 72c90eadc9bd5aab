"""Searches, adjustments and reports for staff (PRODUCT 11). Not built yet: this package holds only this promise of where it will be."""
