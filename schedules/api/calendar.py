"""The calendar: what went and what is to go in some days, by the reckoning of its page."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.openapi import ProblemSerializer
from config.scoped.problems import MEDIA_TYPE
from orgs.clock import database_now
from orgs.models import validate_zone
from orgs.reach import Act
from schedules.models import Schedule
from schedules.models.run import KINDS
from schedules.shown.calendar.asked import STATES, YEARS, Asked, Narrowing
from schedules.shown.calendar.entries import entries_of
from schedules.shown.calendar.entry import Entry, Shown

LONGEST = 62  # days
DAY = timedelta(days=1)


def refuse_beyond(day: date) -> None:
    """Raises ValidationError for a day too far away to reckon with in every zone."""
    if day.year not in YEARS:
        years = {"first": YEARS[0], "last": YEARS[-1]}
        raise serializers.ValidationError(_("Choose a year from %(first)d to %(last)d.") % years)


class DaysSerializer(serializers.Serializer):
    """Which days are asked for, narrowed by what."""

    to = serializers.DateField(
        validators=[refuse_beyond],
        help_text="The day after the last one; at most 62 after the first.",
    )
    zone = serializers.CharField(
        required=False,
        validators=[validate_zone],
        help_text="On whose clock the days lie: of the room, of the unit, else of the reader.",
    )
    unit = serializers.IntegerField(required=False, help_text="Of this unit and those under it.")
    room = serializers.IntegerField(required=False, help_text="To this room.")
    state = serializers.ChoiceField(required=False, choices=STATES, help_text="In this state.")
    kind = serializers.ChoiceField(
        required=False, choices=[value for value, _label in KINDS], help_text="That goes so."
    )

    def get_fields(self) -> dict[str, Any]:
        first = serializers.DateField(validators=[refuse_beyond], help_text="The first day.")
        return {"from": first, **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not DAY <= attrs["to"] - attrs["from"] <= LONGEST * DAY:
            message = _("Ask for 1 to %(most)d days.") % {"most": LONGEST}
            raise serializers.ValidationError({"to": [message]})
        return attrs


class EntrySerializer(serializers.Serializer):
    """One thing in the calendar."""

    due_at = Moment()
    local = serializers.SerializerMethodField(
        help_text="The same moment in the zone of the answer."
    )
    appointed_at = Moment(help_text="By its timing: its name in addresses.")
    schedule = serializers.IntegerField(source="schedule_id")
    run = serializers.IntegerField(
        source="run_id", allow_null=True, help_text="Null: it is not planned yet."
    )
    title = serializers.CharField()
    unit = serializers.CharField(help_text="Its name.")
    state = serializers.ChoiceField(choices=STATES)
    kind = serializers.CharField()
    why = serializers.CharField(help_text="Why it does not go, or did not.")
    often = serializers.BooleanField(
        source="is_often", help_text="The first of more than three times of that day."
    )
    moved = serializers.BooleanField(source="is_moved", help_text="A person gave it another time.")

    def get_local(self, entry: Entry) -> str:
        return entry.due_at.astimezone(self.context["zone"]).isoformat()


class MoreSerializer(serializers.Serializer):
    """Of one day, how much in one state is not told one by one."""

    day = serializers.DateField()
    state = serializers.ChoiceField(choices=STATES)
    count = serializers.IntegerField()
    is_least = serializers.BooleanField(help_text="Not all could be counted.")


@extend_schema_serializer(many=False)
class CalendarSerializer(serializers.Serializer):
    """What there is in these days, the soonest first, and what is not told."""

    zone = serializers.CharField()
    results = EntrySerializer(many=True)
    full_days = serializers.ListField(
        child=serializers.DateField(), help_text="Days that have more than is told."
    )
    more_schedules = serializers.BooleanField(
        help_text="There are schedules whose times are not among the results: `more` has them."
    )
    told_until = Moment(
        allow_null=True,
        help_text="What is to come is told one by one up to here. Null: to the end.",
    )
    more = MoreSerializer(many=True, help_text="What is to come and is not among the results.")


@extend_schema(tags=["schedules"])
class CalendarViewSet(ScopedViewSet):
    """The calendar, read as schedules are."""

    queryset = Schedule.objects.all()
    serializer_class = CalendarSerializer
    pagination_class = None
    acts = {"list": Act.VIEW}

    @extend_schema(
        operation_id="calendar_retrieve",
        parameters=[
            OpenApiParameter("from", {"type": "string", "format": "date"}, required=True,
                             description="The first day."),
            DaysSerializer,
        ],
        responses={200: CalendarSerializer, (400, MEDIA_TYPE): ProblemSerializer},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        """Runs that were, and times that come. Bounded: what is left away is said."""
        days = DaysSerializer(data=request.query_params)
        days.is_valid(raise_exception=True)
        asked = _asked(request, days.validated_data)
        shown = entries_of(asked, database_now())
        context = {"zone": ZoneInfo(asked.zone)}
        return Response(CalendarSerializer(_told(asked, shown), context=context).data)


def _asked(request: Request, values: dict[str, Any]) -> Asked:
    narrowing = Narrowing(request.query_params, by=request.user)
    asked = narrowing.asked(values["from"], values["to"], longest=LONGEST)
    return replace(asked, zone=values.get("zone") or asked.zone)


def _told(asked: Asked, shown: Shown) -> dict[str, Any]:
    return {
        "zone": asked.zone,
        "results": shown.entries,
        "full_days": sorted(shown.full_days),
        "more_schedules": shown.has_more_schedules,
        "told_until": shown.until,
        "more": [
            {
                "day": day,
                "state": state,
                "count": count,
                "is_least": shown.least_from is not None and day >= shown.least_from,
            }
            for day, counts in sorted(shown.more.items())
            for state, count in sorted(counts.items())
        ],
    }
