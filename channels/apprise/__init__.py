"""Calling Apprise, the library: which URLs are allowed, and a call that cannot reach inside."""
