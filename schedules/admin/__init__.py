"""The schedules' pages in the admin: lists, the page of one, and buttons that call actions."""

from schedules.admin.approvals import ApprovalAdmin
from schedules.admin.archive import ArchivedRunAdmin
from schedules.admin.delivery import DeliveryAdmin
from schedules.admin.freezes import FreezeAdmin
from schedules.admin.holiday import HolidayExceptionAdmin
from schedules.admin.run import RunAdmin
from schedules.admin.schedule import ScheduleAdmin
from schedules.admin.template import MessageTemplateAdmin, PlaceholderValueAdmin

__all__ = [
    "ApprovalAdmin",
    "ArchivedRunAdmin",
    "DeliveryAdmin",
    "FreezeAdmin",
    "HolidayExceptionAdmin",
    "MessageTemplateAdmin",
    "PlaceholderValueAdmin",
    "RunAdmin",
    "ScheduleAdmin",
]
