"""Measures an installation of its own, beside the user's: nothing of theirs is touched."""
