"""Bookings: what may still be sent, asked before a run is written and inside its transaction."""
