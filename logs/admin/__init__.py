"""What was recorded in the admin: history, attempts, and how punctual they were."""

from logs.admin.punctuality import PunctualityAdmin
from logs.admin.records import AttemptAdmin, HistoryAdmin

__all__ = ["AttemptAdmin", "HistoryAdmin", "PunctualityAdmin"]
