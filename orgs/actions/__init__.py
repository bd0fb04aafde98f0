"""What people do with units and members. Each act checks the reach, validates, changes and records
the history in one transaction; it raises Refused, and has then changed nothing."""
