"""The coming times of a schedule: all of them, and changes of single ones."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.fields import Moment, StrictBody, Words, YesNo
from config.scoped.openapi import ProblemSerializer
from config.scoped.problems import MEDIA_TYPE
from orgs.clock import database_now
from schedules import actions
from schedules.actions.occurrence import LONGEST_TEXT
from schedules.bookings.slots import Limit
from schedules.foreseen import foresee, times_to_come
from schedules.models import OccurrenceChange, Schedule
from schedules.recurrence import Change, Occurrence

MOST_TIMES = 100
COUNT = OpenApiParameter(
    "count", {"type": "integer", "minimum": 1, "maximum": MOST_TIMES, "default": 10},
    description="How many.",
)  # fmt: skip
AT = OpenApiParameter(
    "at", datetime, OpenApiParameter.PATH,
    description="Its `appointed_at`, with any offset from UTC.",
)  # fmt: skip


class HeldSerializer(serializers.Serializer):
    """What a limit does to one time."""

    limit = serializers.ChoiceField(choices=[limit.value for limit in Limit])
    leaves_at = Moment(allow_null=True, help_text="Null: it is left out.")
    rooms = serializers.IntegerField(help_text="In so many of its rooms.")
    of = serializers.IntegerField(help_text="How many rooms it has; 0 for an audience.")


class OccurrenceSerializer(serializers.Serializer):
    """A time at which the schedule goes, or would."""

    due_at = Moment()
    appointed_at = Moment(
        help_text="By its timing: its name in addresses, also where a person gave it another time."
    )
    local = serializers.CharField(help_text="The same moment in the schedule’s zone.")
    zone = serializers.CharField()
    skipped = serializers.CharField(
        help_text="Empty: it goes. Else holiday, date, or left_out by a person."
    )
    detail = serializers.CharField(help_text="The name of the holiday.")
    moved = serializers.BooleanField(
        help_text="Daylight saving removed the time of day: the first moment after it."
    )
    text = serializers.CharField(help_text="What it says instead of the schedule’s text, if so.")
    held = HeldSerializer(many=True, help_text="Quiet hours and limits of its rooms, if any.")


class OccurrencesSerializer(serializers.Serializer):
    """The coming times, the soonest first."""

    results = OccurrenceSerializer(many=True)


class CountSerializer(serializers.Serializer):
    """How many occurrences are asked for."""

    count = serializers.IntegerField(min_value=1, max_value=MOST_TIMES, default=10)


class ChangeSerializer(StrictBody, serializers.ModelSerializer):
    """What is to be different about one time; what is left out is as the schedule has it."""

    skips = YesNo(default=False, help_text="It is left out. Nothing else can be said then.")
    due_at = Moment(default=None, allow_null=True, help_text="When it goes instead.")
    text = Words(
        default="", allow_blank=True, max_length=LONGEST_TEXT, help_text="What it says instead."
    )
    appointed_at = Moment(read_only=True)
    changed_at = Moment(read_only=True)

    class Meta:
        model = OccurrenceChange
        fields = ["appointed_at", "skips", "due_at", "text", "changed_at", "changed_by"]
        read_only_fields = ["changed_by"]


class Occurrences:
    """The part of the schedules' endpoints that concerns their times."""

    @extend_schema(
        parameters=[COUNT],
        responses={200: OccurrencesSerializer, (400, MEDIA_TYPE): ProblemSerializer},
    )
    @action(detail=True)
    def occurrences(self, request: Request, pk: str) -> Response:
        """The coming times, by the planner's own reckoning; those that are skipped are marked."""
        asked = CountSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        schedule = self._schedule()
        now = database_now()
        coming = times_to_come(schedule, now, asked.validated_data["count"])
        results = _told(schedule, coming, now)
        return Response(OccurrencesSerializer({"results": results}).data)

    @extend_schema(
        operation_id="schedules_occurrence_retrieve",
        parameters=[AT],
        responses=OccurrenceSerializer,
    )
    @action(detail=True, url_path="occurrences/(?P<at>[^/]+)")
    def occurrence(self, request: Request, pk: str, at: str) -> Response:
        """One of the coming hundred times, as the list of them tells it."""
        schedule = self._schedule()
        now = database_now()
        coming = times_to_come(schedule, now, MOST_TIMES)
        appointed = [one.appointed_at for one in coming]
        wanted = moment_named(at)
        if wanted not in appointed:
            raise NotFound
        until = coming[: appointed.index(wanted) + 1]
        return Response(OccurrenceSerializer(_told(schedule, until, now)[-1]).data)

    @extend_schema(
        operation_id="schedules_occurrence_change",
        parameters=[AT],
        request=ChangeSerializer,
        responses={status.HTTP_201_CREATED: ChangeSerializer},
    )
    @occurrence.mapping.post
    def change_occurrence(self, request: Request, pk: str, at: str) -> Response:
        """Leave this one time out, let it go at another time, with another text, or both; in the
        place of what was wanted of it before. Refused once it is being sent."""
        asked = ChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = Change(**asked.validated_data)
        change = actions.change_one(self._schedule(), moment_named(at), wanted, by=request.user)
        return Response(ChangeSerializer(change).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="schedules_occurrence_take_back",
        parameters=[AT],
        responses={status.HTTP_204_NO_CONTENT: None},
    )
    @occurrence.mapping.delete
    def take_back_occurrence(self, request: Request, pk: str, at: str) -> Response:
        """Let this time go again as the schedule has it."""
        actions.take_back_one(self._schedule(), moment_named(at), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _schedule(self) -> Schedule:
        found: Schedule = self.get_object()  # type: ignore[attr-defined]
        return found


def moment_named(text: str) -> datetime:
    """The time that an address names; what is none names nothing."""
    try:
        moment: datetime = Moment().run_validation(text)
    except serializers.ValidationError as error:
        raise NotFound from error
    return moment


def _told(schedule: Schedule, coming: list[Occurrence], now: datetime) -> list[dict[str, Any]]:
    """These times, with what the limits do to each."""
    held = foresee(schedule, coming, now)
    return [
        {
            "due_at": occurrence.due_at,
            "appointed_at": occurrence.appointed_at,
            "local": occurrence.local.isoformat(),
            "zone": schedule.zone,
            "skipped": occurrence.skipped,
            "detail": occurrence.detail,
            "moved": occurrence.moved,
            "text": occurrence.text,
            "held": [asdict(one) for one in held.get(occurrence.due_at, [])],
        }
        for occurrence in coming
    ]
