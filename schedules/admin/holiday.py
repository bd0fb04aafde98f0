"""Corrections to the calendar of public holidays: the headquarters' business."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.scoped.admin import ScopedAdmin
from schedules.models import HolidayException


@admin.register(HolidayException)
class HolidayExceptionAdmin(ScopedAdmin):
    when_empty = _(
        "Public holidays are known already. Here they are corrected: a day that is one "
        "after all, or that is none."
    )
    list_display = ["date", "country", "is_holiday", "note"]
    list_filter = ["country", "is_holiday"]
    search_fields = ["note"]
