"""When a schedule goes: how it repeats, from when until when, and when not."""

from dataclasses import replace
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from schedules.models.repetition import Repetition
from schedules.recurrence import Timing


class TimingFields(Repetition):
    """A repetition and its limits."""

    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    skip_dates = models.JSONField(
        _("not on these dates"), default=list, blank=True, help_text=_("Like 2026-02-17.")
    )
    registered_at = models.DateTimeField(_("registered"), null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def timing(self) -> Timing:
        return replace(
            super().timing,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            skip_dates=frozenset(date.fromisoformat(day) for day in self.skip_dates),
            registered_at=self.registered_at,
        )
