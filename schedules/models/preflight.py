"""What was found when the next run of a schedule was looked at before its time."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orgs.reach import Belongs
from schedules.findings import Finding, read_back
from schedules.models.schedule import Schedule

AHEAD = timedelta(minutes=10)  # before its time a run is looked at
LASTS = timedelta(hours=1)  # a look of which no run is known to come


class Preflight(models.Model):
    """The last look at a schedule: one row each. A worker finds the row and looks, when the run
    comes near or a person has asked for it; nothing else is needed to have it done once."""

    reach = Belongs("schedule__unit__path")

    schedule: Any = models.OneToOneField(
        Schedule, models.CASCADE, primary_key=True, related_name="preflight"
    )
    due_at = models.DateTimeField(
        _("appointed"), null=True, help_text=_("Of the run that was looked at, if one is to come.")
    )
    # As the schedule was then: what was found of an earlier one says nothing of this one.
    revision = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(_("asked for"), null=True)
    # The hold of the worker that looks; one that is gone loses it after a while.
    taken_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(_("looked at"), null=True)
    again_at = models.DateTimeField(null=True, help_text=_("From then on this look is not enough."))
    findings = models.JSONField(_("found"), default=list)
    # What was told last, and when: it is not told again soon.
    told = models.CharField(max_length=64, blank=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("pre-flight")
        verbose_name_plural = _("pre-flights")
        ordering = ["schedule_id"]
        indexes = [
            # Those that a person waits for: looked for every two seconds.
            models.Index(
                fields=["asked_at"], condition=Q(asked_at__isnull=False), name="asked_preflights"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} · {self.due_at}"

    @property
    def found(self) -> list[Finding]:
        return read_back(self.findings)

    def says_something_of(self, schedule: Schedule, now: datetime) -> bool:
        """Whether this look still holds: of this very schedule, and of a run still to come."""
        if self.looked_at is None or self.revision != schedule.revision:
            return False
        return now <= (self.due_at or self.looked_at + LASTS)
