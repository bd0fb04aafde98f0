"""What was registered (Schedule), what was planned from it (Run), and to where (Delivery);
and what schedules are made from (MessageTemplate)."""

from schedules.models.approval import Approval
from schedules.models.archived import ArchivedMonth, ArchivedRun
from schedules.models.calendar_feed import CalendarFeed
from schedules.models.delivery import Delivery
from schedules.models.freeze import Freeze
from schedules.models.heartbeat import Heartbeat
from schedules.models.holiday import HolidayException
from schedules.models.installation import Installation
from schedules.models.left_open import LeftOpen
from schedules.models.legacy import LegacyRow
from schedules.models.occurrence_change import OccurrenceChange
from schedules.models.preflight import Preflight
from schedules.models.quarter import QuarterCount, QuartersCounted, Recount
from schedules.models.run import Run
from schedules.models.run_pause import RunPause
from schedules.models.saved_filter import SavedFilter
from schedules.models.schedule import Schedule, ScheduleImage
from schedules.models.template import (
    MessageTemplate,
    PlaceholderValue,
    TemplateBlock,
    TemplateDefault,
    TemplateImage,
)
from schedules.models.timing import TimingFields

__all__ = [
    "Approval",
    "ArchivedMonth",
    "ArchivedRun",
    "CalendarFeed",
    "Delivery",
    "Freeze",
    "Heartbeat",
    "HolidayException",
    "Installation",
    "LeftOpen",
    "LegacyRow",
    "MessageTemplate",
    "OccurrenceChange",
    "PlaceholderValue",
    "Preflight",
    "QuarterCount",
    "QuartersCounted",
    "Recount",
    "Run",
    "RunPause",
    "SavedFilter",
    "Schedule",
    "ScheduleImage",
    "TemplateBlock",
    "TemplateDefault",
    "TemplateImage",
    "TimingFields",
]
