"""What happened: rows that hold names and ids by value and outlive their objects."""

from logs.models.attempt import Attempt
from logs.models.counter import Counter
from logs.models.figures import Billing, Punctuality, Tally
from logs.models.history import Chain, History, Seal

__all__ = ["Attempt", "Billing", "Chain", "Counter", "History", "Punctuality", "Seal", "Tally"]
