"""Corrections to the calendar of public holidays: the headquarters' business."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.scoped.removing import RemovingAdmin
from schedules.actions.holiday import correct, take_correction_back
from schedules.models import HolidayException


@admin.register(HolidayException)
class HolidayExceptionAdmin(RemovingAdmin):
    when_empty = _(
        "Public holidays are known already. Here they are corrected: a day that is one "
        "after all, or that is none."
    )
    list_display = ["date", "country", "is_holiday", "note"]
    list_filter = ["country", "is_holiday"]
    search_fields = ["note"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        row = obj if change else HolidayException()
        obj.pk = correct(row, form.cleaned_data, by=request.user).pk

    def remove(self, row: Any, *, by: Any) -> None:
        take_correction_back(row, by=by)
