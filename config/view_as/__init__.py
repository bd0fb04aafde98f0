"""Seeing the pages as somebody else sees them: read-only, for a while, and recorded."""
