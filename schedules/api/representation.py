"""A schedule as the API reads and writes it."""

from datetime import datetime
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from channels.models import Audience, Image, Room
from config.scoped.fields import (
    ScopedIds,
    ScopedRelatedField,
    StrictSerializer,
    WallDate,
    WholeNumber,
)
from orgs.clock import database_now
from orgs.models import Unit
from schedules import rules
from schedules.api.preflight import PreflightSerializer
from schedules.content import MOST_IMAGES
from schedules.models import Schedule
from schedules.models.prefills import MOST_PRIORITY, MOST_RETRIES
from schedules.recurrence import LAST_DAY
from schedules.recurrence.timing import MINUTES_OF_A_DAY
from schedules.shown.coming import words
from schedules.shown.preflight import preflight_of
from schedules.states import ScheduleState

MOST_ROOMS = 1000
MOST_DATES = 400  # a year's, and some
BOUNDS: dict[str, dict[str, Any]] = {
    "priority": {"max_value": MOST_PRIORITY},
    "max_retries": {"max_value": MOST_RETRIES},
    "day_of_month": {"min_value": 1, "max_value": LAST_DAY},
    "every_minutes": {"min_value": 1, "max_value": MINUTES_OF_A_DAY},
    "peak_minutes": {"min_value": 1, "max_value": MINUTES_OF_A_DAY},
}


class NumberSet(serializers.ListField):
    """Numbers of which each counts once; kept in order."""

    def to_internal_value(self, data: Any) -> list[int]:
        return sorted(set(super().to_internal_value(data)))


class DateSet(serializers.ListField):
    """Dates of which each counts once; kept as text, in order."""

    child = WallDate()

    def to_internal_value(self, data: Any) -> list[str]:
        return sorted({day.isoformat() for day in super().to_internal_value(data)})


class ImageIds(ScopedIds):
    """The images in the order in which a room sees them; one may come twice."""

    def get_attribute(self, schedule: Schedule) -> Any:
        return schedule.schedule_images

    def to_representation(self, rows: Any) -> list[int]:
        return [row.image_id for row in rows.all()]


class RepetitionSerializer(StrictSerializer):
    """How something repeats: a schedule, and what a template fills in."""

    weekdays = NumberSet(
        child=WholeNumber(min_value=0, max_value=6),
        required=False,
        max_length=7,
        help_text="0 is Monday, 6 is Sunday.",
    )
    peak_hours = NumberSet(
        child=WholeNumber(min_value=0, max_value=23), required=False, max_length=24
    )


class ScheduleSerializer(RepetitionSerializer):
    """What is sent, where to, and when."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="For which unit it is sent; your own if you leave it out.",
    )
    rooms = ScopedIds(
        queryset=Room.objects.all(),
        max_length=MOST_ROOMS,
        help_text="Where it goes; empty for an audience.",
    )
    audience = ScopedRelatedField(
        queryset=Audience.objects.all(),
        required=False,
        allow_null=True,
        help_text="Instead of rooms: each person in it gets the message for themselves.",
    )
    images = ImageIds(
        queryset=Image.objects.all(),
        required=False,
        max_length=MOST_IMAGES,
        help_text="In the order in which they are sent.",
    )
    skip_dates = DateSet(required=False, max_length=MOST_DATES)
    timing_in_words = serializers.SerializerMethodField()
    preflight = serializers.SerializerMethodField()
    registered_by: Any = serializers.StringRelatedField(read_only=True, allow_null=True)
    revision = WholeNumber(
        required=False,
        min_value=0,
        help_text="Counts the changes. Sent along with a change, it must be the present one.",
    )
    state = serializers.ChoiceField(
        choices=ScheduleState.choices,
        required=False,
        help_text="Of a new schedule: active (if you leave it out) or draft.",
    )

    class Meta:
        model = Schedule
        fields = [
            "id", "state", "unit", "title", "description", "label", "rooms", "audience", "expected",
            "text", "images", "order", "interval_seconds",
            *rules.STEPS["timing"],
            "timing_in_words", "next_due_at", "preflight", "revision", "template",
            "registered_by", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["expected", "template", "next_due_at", "created_at", "updated_at"]
        extra_kwargs = {
            "text": {"trim_whitespace": False},
            "description": {"trim_whitespace": False},
            "timing_kind": {"required": True},
            "interval_seconds": {"max_value": rules.MOST_INTERVAL},
            **BOUNDS,
        }

    def get_timing_in_words(self, schedule: Schedule) -> str:
        return words(schedule, self._now)

    @cached_property
    def _now(self) -> datetime:  # asked once for all rows of a list
        return database_now()

    @extend_schema_field(PreflightSerializer)
    def get_preflight(self, schedule: Schedule) -> Any:
        return PreflightSerializer(preflight_of(schedule, self._now)).data

    def validate_state(self, state: str) -> str:
        """A state is changed by acts; here it may only be said of a new schedule."""
        if self.instance is None and state not in (ScheduleState.DRAFT, ScheduleState.ACTIVE):
            raise serializers.ValidationError(_("A new schedule is “active” or “draft”."))
        if self.instance is not None and state != self.instance.state:
            raise serializers.ValidationError(
                _("Use register, toggle or cancel to change the state.")
            )
        return state
