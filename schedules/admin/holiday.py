"""Corrections to the calendar of public holidays: the headquarters' business."""

from django.contrib import admin

from config.scoped.admin import ScopedAdmin
from schedules.models import HolidayException


@admin.register(HolidayException)
class HolidayExceptionAdmin(ScopedAdmin):
    list_display = ["date", "country", "is_holiday", "note"]
    list_filter = ["country", "is_holiday"]
    search_fields = ["note"]
