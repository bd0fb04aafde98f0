"""Webhooks: brings facts to the endpoints of other systems (docs/webhooks.md)."""
