"""Schedules, their templates and their log in the API. All writing goes through
schedules.actions."""

from schedules.api.acts import ScheduleActsViewSet
from schedules.api.approvals import ApprovalQueueViewSet, ApprovalViewSet
from schedules.api.archive import ArchiveViewSet
from schedules.api.batch import BatchViewSet
from schedules.api.calendar import CalendarViewSet
from schedules.api.counts import DayCountViewSet
from schedules.api.feeds import FeedViewSet
from schedules.api.fence import FenceViewSet
from schedules.api.figures import FiguresViewSet
from schedules.api.filters import SavedFilterViewSet
from schedules.api.freezes import AccountFreezeViewSet, FreezeViewSet, UnitFreezeViewSet
from schedules.api.holidays import HolidayViewSet
from schedules.api.limits import AccountLimitsViewSet, RoomLimitsViewSet
from schedules.api.logs import LogViewSet
from schedules.api.not_confirmed import NotConfirmedViewSet
from schedules.api.quota import BudgetViewSet, QuotaViewSet
from schedules.api.reached import ReachedViewSet
from schedules.api.runs import RunViewSet
from schedules.api.schedules import ScheduleViewSet
from schedules.api.shift import ShiftViewSet
from schedules.api.suggest import SuggestTimeViewSet
from schedules.api.templates import TemplateViewSet
from schedules.api.unit_moves import UnitMoveViewSet
from schedules.api.values import UnitValuesViewSet, ValueViewSet

__all__ = [
    "AccountFreezeViewSet",
    "AccountLimitsViewSet",
    "ApprovalQueueViewSet",
    "ApprovalViewSet",
    "ArchiveViewSet",
    "BatchViewSet",
    "BudgetViewSet",
    "CalendarViewSet",
    "DayCountViewSet",
    "FeedViewSet",
    "FenceViewSet",
    "FiguresViewSet",
    "FreezeViewSet",
    "HolidayViewSet",
    "LogViewSet",
    "NotConfirmedViewSet",
    "QuotaViewSet",
    "ReachedViewSet",
    "RoomLimitsViewSet",
    "RunViewSet",
    "SavedFilterViewSet",
    "ScheduleActsViewSet",
    "ScheduleViewSet",
    "ShiftViewSet",
    "SuggestTimeViewSet",
    "TemplateViewSet",
    "UnitFreezeViewSet",
    "UnitMoveViewSet",
    "UnitValuesViewSet",
    "ValueViewSet",
]
