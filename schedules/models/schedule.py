"""A schedule: what, where, when and how, as it was registered."""

from copy import copy
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from channels.models import Audience, Image, Room
from logs.models.request import request_field
from orgs.models import Unit
from orgs.reach import Belongs
from schedules.content import Content, ContentImage, Order
from schedules.models.repetition import OnQuiet
from schedules.models.template import MessageTemplate
from schedules.models.timing import TimingFields
from schedules.recurrence import Kind
from schedules.states import ScheduleState

# Beyond either, a run takes half a second or more to write.
LARGE_ROOMS = 2_000
LARGE_PEOPLE = 50_000
LABEL_LENGTH = 20  # with the unit's number after it, at most 30


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def present(self) -> "ScheduleQuerySet":
        """All but the deleted, and but the working copies of an edit."""
        return self.filter(deleted_at=None, edits=None)

    def going_before(self, moment: datetime) -> "ScheduleQuerySet":
        """Active ones whose next occurrence comes before then."""
        return self.filter(state=ScheduleState.ACTIVE, next_due_at__lt=moment)

    def to_plan(self, horizon: datetime) -> "ScheduleQuerySet":
        """Active ones whose next occurrence comes before `horizon`, the soonest first."""
        return self.filter(state=ScheduleState.ACTIVE, next_due_at__lte=horizon).order_by(
            "next_due_at", "id"
        )

    def by_size(self, *, large: bool) -> "ScheduleQuerySet":
        """Those whose runs take long to write, or all the others."""
        rooms = self.model.rooms.through.objects.filter(schedule=OuterRef("pk")).order_by()
        many_people = Q(expected__isnull=False, expected__gt=LARGE_PEOPLE)
        is_large = Exists(rooms[LARGE_ROOMS:]) | many_people
        return self.filter(is_large if large else ~is_large)

    def overdue_unanswered(self, now: datetime, longest: timedelta) -> "ScheduleQuerySet":
        """Those whose time has come while they waited for approval; of what would go at once, those
        that have waited for the longest that this may take."""
        waiting = self.filter(state=ScheduleState.WAITING)
        old = Q(approval__asked_at__lte=now - longest) | ~Q(timing_kind=Kind.NOW)
        return waiting.filter(Q(next_due_at__lte=now) | Q(next_due_at=None) & old)


class Schedule(TimingFields):
    """What was registered. Never removed from the table: its log outlives it."""

    whole: "Schedule | None" = None  # of what `with_text` made: what it is a time of
    reach = Belongs("unit__path")

    uid = models.UUIDField(default=uuid4, unique=True, editable=False)
    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    title = models.CharField(_("title"), max_length=255)
    description = models.TextField(_("description"), blank=True)
    rooms = models.ManyToManyField(Room, verbose_name=_("rooms"), blank=True)
    audience = models.ForeignKey(
        Audience, models.PROTECT, null=True, blank=True, verbose_name=_("audience")
    )
    expected = models.PositiveIntegerField(
        _("people expected"),
        null=True,
        editable=False,
        help_text=_("How many were in the audience when it was registered."),
    )
    text = models.TextField(_("text"), blank=True)
    images = models.ManyToManyField(Image, through="ScheduleImage", verbose_name=_("images"))
    order = models.CharField(
        _("send order"), max_length=12, choices=Order.choices, default=Order.TEXT_FIRST
    )
    interval_seconds = models.PositiveSmallIntegerField(
        _("seconds between messages"),
        default=0,
        help_text=_("0: as few messages as the channel can pack them into."),
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=50, help_text=_("0 to 100; of what is due at once, higher first.")
    )
    max_retries = models.PositiveSmallIntegerField(
        _("most retries"), default=4, help_text=_("How often a send that may succeed is repeated.")
    )
    on_quiet = models.CharField(
        _("in quiet hours"), max_length=4, choices=OnQuiet.choices, default=OnQuiet.MOVE
    )
    label = models.CharField(
        _("statistics name"),
        max_length=LABEL_LENGTH,
        blank=True,
        help_text=_(
            "For channels that count who opened a message. Schedules of your unit with the same "
            "name are counted together; empty: each for itself."
        ),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=ScheduleState.choices, default=ScheduleState.DRAFT
    )
    revision = models.PositiveIntegerField(default=0, editable=False)
    edits = models.ForeignKey(
        "self", models.CASCADE, null=True, editable=False, related_name="drafts"
    )
    template = models.ForeignKey(
        MessageTemplate,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="schedules",
        verbose_name=_("template"),
    )
    # By value, as the template was when it was used (MessageTemplate.terms).
    terms = models.JSONField(default=dict, editable=False)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)
    # What was let go, where approval is demanded (schedules.clearance): its digest.
    cleared = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    next_due_at = models.DateTimeField(_("next run"), null=True, editable=False)
    request = request_field()  # that registered it, or changed it last
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(priority__gte=0, priority__lte=100), name="priority_within_0_and_100"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ScheduleState.values), name="schedule_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gt=models.F("valid_from")),
                name="validity_ends_after_it_starts",
            ),
        ]
        indexes = [
            # The planner: what is active and due next.
            models.Index(
                fields=["next_due_at", "id"],
                condition=Q(state="active"),
                name="schedules_to_plan",
            ),
            # What waits for approval, the soonest send first.
            models.Index(
                fields=["next_due_at", "id"],
                condition=Q(state="waiting"),
                name="schedules_to_approve",
            ),
            # The list of a unit, newest first.
            models.Index(fields=["unit", "-id"], name="schedules_of_one_unit"),
            # The search for the same content when another is registered.
            models.Index(
                fields=["content_hash"], condition=Q(state="active"), name="active_by_content"
            ),
            # Drafts that were changed lately: the meter asks for their accounts' quota.
            models.Index(
                fields=["updated_at"], condition=Q(state="draft"), name="drafts_by_change"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def label_name(self) -> str:
        """Under which a channel counts its messages: the same in every month, and never that of
        another unit, whose figures it would show."""
        return f"{self.label}_{self.unit_id}" if self.label else f"teiji_{self.uid.hex[:24]}"

    @property
    def content(self) -> Content:
        """Text and images as a pure value; reads the images' rows, or what was prefetched."""
        images = tuple(
            ContentImage(id=row.image_id, name=row.image.name, sha256=row.image.sha256)
            for row in self.schedule_images.all()
        )
        return Content(
            text=self.text,
            images=images,
            order=Order(self.order),
            interval=self.interval_seconds,
            defaults=tuple(sorted(self.terms_in_force.get("defaults", {}).items())),
        )

    def with_text(self, text: str) -> "Schedule":
        """As it would be with this text, to be looked at and not saved; "" is its own."""
        if not text:
            return self
        other = copy(self)
        other.text, other.whole = text, self
        return other

    @property
    def as_registered(self) -> "Schedule":
        """With its own text."""
        return self.whole or self

    @property
    def terms_in_force(self) -> dict[str, Any]:
        """What its template laid down; a working copy is bound as what it edits."""
        terms: dict[str, Any] = self.edits.terms if self.edits else self.terms
        return terms


class ScheduleImageManager(models.Manager["ScheduleImage"]):
    def get_queryset(self) -> models.QuerySet["ScheduleImage"]:
        return super().get_queryset().select_related("image")


class ScheduleImage(models.Model):
    """An image of a schedule at its place."""

    reach = Belongs("schedule__unit__path")

    schedule: Any = models.ForeignKey(Schedule, models.CASCADE, related_name="schedule_images")
    image = models.ForeignKey(Image, models.PROTECT)
    position = models.PositiveSmallIntegerField()

    objects = ScheduleImageManager()

    class Meta:
        verbose_name = _("image of a schedule")
        verbose_name_plural = _("images of schedules")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "position"], name="one_image_per_place"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} · {self.position}"
