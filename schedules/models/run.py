"""A run: one occurrence that was planned, with its content as it is sent."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from logs.models.request import request_field
from orgs.moments import written
from orgs.reach import Belongs
from schedules.models.repetition import KIND_CHOICES
from schedules.models.schedule import Schedule
from schedules.states import RunState

# What a run is told apart by in figures: how it repeats, or else what started it.
KINDS = [
    *KIND_CHOICES,
    ("hand", _("by hand")),
    ("test", _("as a test")),
    ("imported", _("imported")),
]


class Run(models.Model):
    """Holds by value what its log must show after the schedule was edited or deleted."""

    reach = Belongs("unit_path")

    class Trigger(models.TextChoices):
        TIMING = "timing", _("by its timing")
        HAND = "hand", _("by hand")
        TEST = "test", _("as a test")
        IMPORTED = "imported", _("by an older system: imported")

    class Reason(models.TextChoices):
        NONE = "", ""
        HOLIDAY = "holiday", _("a public holiday")
        DATE = "date", _("a chosen date")
        LEFT_OUT = "left_out", _("a person left this one out")
        MISSED = "missed", _("its time passed while nothing could be sent")
        NO_ROOM = "no_room", _("no room is left")
        NO_RECIPIENT = "no_person", _("nobody is in the audience")
        UNUSABLE = "unusable", _("the content cannot be sent")
        QUIET = "quiet", _("quiet hours")
        BUSY = "busy", _("the room has other messages at that time")
        CAP = "cap", _("the room has had its messages for that day")
        FOLLOWED = "followed", _("quiet hours; a later one takes its place after them")
        FENCED = "fenced", _("all sending was stopped when it was due")
        QUOTA = "quota", _("it does not fit into what is left of the account’s month")
        UNAPPROVED = "unapproved", _("nobody approved it in time")
        BUDGET = "budget", _("it does not fit into what is left of the unit’s budget")

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="runs")
    due_at = models.DateTimeField(_("appointed"))
    first_due_at = models.DateTimeField(
        _("first appointed"),
        null=True,
        help_text=_("By its timing, where a person gave this one another time."),
    )
    trigger = models.CharField(
        pgettext_lazy("by what", "started"),
        max_length=10,
        choices=Trigger.choices,
        default=Trigger.TIMING,
    )
    # By value, as all that figures tell apart; of runs from before it was noted, empty.
    kind = models.CharField(
        _("type"), max_length=10, choices=KINDS, blank=True, default="", db_default=""
    )
    state = models.CharField(
        _("state"), max_length=12, choices=RunState.choices, default=RunState.PLANNED
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices, blank=True)
    detail = models.CharField(_("detail"), max_length=255, blank=True)
    title = models.CharField(_("title"), max_length=255)
    unit_path = models.CharField(max_length=255)
    zone = models.CharField(_("time zone"), max_length=50)
    priority = models.PositiveSmallIntegerField(_("priority"), default=50)
    max_retries = models.PositiveSmallIntegerField(default=4)
    interval_seconds = models.PositiveSmallIntegerField(default=0)
    content = models.JSONField(_("content"), default=dict)
    content_hash = models.CharField(max_length=64, blank=True)
    # {account id: [payload of each part]}: packed once, not once for each room.
    payloads = models.JSONField(default=dict)
    # {account id: the label under which its channel counts this run; "": none was left}.
    labels = models.JSONField(default=dict)
    planned_at = models.DateTimeField(_("planned"))
    started_at = models.DateTimeField(_("started"), null=True)
    completed_at = models.DateTimeField(_("completed"), null=True)
    # Of an audience: how many were in it when the schedule was registered, and to how many of
    # it this run goes.
    expected = models.PositiveIntegerField(_("people expected"), null=True)
    recipients = models.PositiveIntegerField(_("people"), null=True)
    total = models.PositiveIntegerField(_("rooms"), default=0)
    sent = models.PositiveIntegerField(_("sent"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    unconfirmed = models.PositiveIntegerField(_("not confirmed"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    request = request_field()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-due_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="one_run_per_occurrence"),
            # Also of one that a person has put at another time.
            models.UniqueConstraint(
                "schedule", Coalesce("first_due_at", "due_at"), name="no_occurrence_twice"
            ),
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="run_state_is_known"
            ),
        ]
        indexes = [
            # The log of a subtree, newest first; the path is compared by prefix.
            models.Index(fields=["-due_at", "-id"], name="runs_by_time"),
            models.Index(
                fields=["unit_path"], name="runs_by_unit", opclasses=["varchar_pattern_ops"]
            ),
            # What the sweep must find: runs that are not finished.
            models.Index(
                fields=["schedule"],
                condition=Q(state__in=["planned", "sending"]),
                name="open_runs_of_a_schedule",
            ),
            # Large runs that are under way, for their totals.
            models.Index(fields=["total"], condition=Q(state="sending"), name="runs_being_sent"),
            # Those of which a channel tells who opened them, newest first.
            models.Index(fields=["-due_at"], condition=~Q(labels={}), name="runs_counted"),
        ]

    @property
    def appointed_at(self) -> datetime:
        """When its timing appointed it: its keys are made of this, whenever it goes."""
        return self.first_due_at or self.due_at

    def __str__(self) -> str:
        return f"{self.title} · {written(self.due_at, self.zone)}"


def kind_of(trigger: str, schedule: Schedule) -> str:
    """The type of a run of this schedule that was started so."""
    return schedule.timing_kind if trigger == Run.Trigger.TIMING else trigger
