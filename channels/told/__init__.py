"""Told: how runs ended, to the people who registered them."""
