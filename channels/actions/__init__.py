"""What people do with accounts, rooms and webhooks."""
