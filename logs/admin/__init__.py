"""What was recorded in the admin: history, attempts, and how punctual they were."""

from logs.admin.attempts import AttemptAdmin
from logs.admin.history import HistoryAdmin
from logs.admin.punctuality import PunctualityAdmin

__all__ = ["AttemptAdmin", "HistoryAdmin", "PunctualityAdmin"]
