"""Vendors to test against: each keeps a log of what it accepted, and misbehaves on demand."""
