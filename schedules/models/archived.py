"""What was taken out of the log: a line for each run, and where the archive holds it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orgs.moments import written
from orgs.reach import Belongs, Role
from schedules.models.run import KINDS, Run
from schedules.states import RunState


class ArchivedMonth(models.Model):
    """One month of UTC whose runs have moved, or are moving, into a file of its own."""

    month = models.DateField(_("month"), unique=True, help_text=_("Its first day."))
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    runs = models.PositiveIntegerField(_("runs"), default=0)
    deliveries = models.PositiveBigIntegerField(_("deliveries"), default=0)
    attempts = models.PositiveBigIntegerField(_("attempts"), default=0)
    removed_at = models.DateTimeField(
        _("removed"), null=True, help_text=_("When its file went, as the retention demands.")
    )

    class Meta:
        verbose_name = _("archived month")
        verbose_name_plural = _("archived months")
        ordering = ["-month"]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class ArchivedRun(models.Model):
    """A run that is in the archive, with what lists show and searches ask. Its id is the run's."""

    reach = Belongs("unit_path", write=Role.MANAGER)

    id = models.BigIntegerField(primary_key=True)
    month = models.ForeignKey(ArchivedMonth, models.CASCADE, related_name="lines")
    # Its member of the month's file: where it begins, how long it is, and its SHA-256 in hex.
    starts_at = models.PositiveBigIntegerField(editable=False)
    length = models.PositiveBigIntegerField(editable=False)
    digest = models.CharField(max_length=64, editable=False)
    schedule_id = models.BigIntegerField()
    due_at = models.DateTimeField(_("appointed"))
    unit_path = models.CharField(max_length=255)
    zone = models.CharField(_("time zone"), max_length=50)
    title = models.CharField(_("title"), max_length=255)
    # The first of them, for the search.
    rooms = models.TextField(_("rooms"), blank=True)
    trigger = models.CharField(
        pgettext_lazy("by what", "started"), max_length=10, choices=Run.Trigger.choices
    )
    kind = models.CharField(_("type"), max_length=10, choices=KINDS, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=RunState.choices)
    reason = models.CharField(_("reason"), max_length=12, choices=Run.Reason.choices, blank=True)
    total = models.PositiveIntegerField(_("rooms"), default=0)
    sent = models.PositiveIntegerField(_("sent"), default=0)

    class Meta:
        verbose_name = _("archived run")
        verbose_name_plural = _("archived runs")
        ordering = ["-due_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["planned", "sending"]), name="archived_runs_are_over"
            ),
        ]
        indexes = [
            # The list, newest first.
            models.Index(fields=["-due_at", "-id"], name="archived_by_time"),
            models.Index(
                fields=["unit_path"], name="archived_by_unit", opclasses=["varchar_pattern_ops"]
            ),
            # What else is in one member of a file.
            models.Index(fields=["month", "starts_at"], name="archived_by_place"),
        ]

    def __str__(self) -> str:
        return f"{self.title} · {written(self.due_at, 'UTC')}"
