"""Schedules and their log in the API. All writing goes through schedules.actions."""

from schedules.api.logs import LogViewSet
from schedules.api.schedules import ScheduleViewSet

__all__ = ["LogViewSet", "ScheduleViewSet"]
