"""What people do with accounts, audiences, recipients and webhooks. Each act checks the reach,
validates, changes and records the history in one transaction; it raises Refused, and has then
changed nothing."""
