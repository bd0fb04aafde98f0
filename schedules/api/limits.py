"""What a room bears, and what of it is taken on a day."""

from datetime import date, timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Room
from config.scoped.api import ScopedViewSet
from config.scoped.fields import WallDate
from orgs.clock import database_now
from orgs.reach import Act
from schedules.bookings.bounds import bounds_of
from schedules.shown import windows
from schedules.shown.calendar.asked import YEARS, Asked
from schedules.shown.calendar.entries import entries_of
from schedules.shown.calendar.shades import loads_of

DAY = OpenApiParameter(
    "day", {"type": "string", "format": "date"}, description="Today if you leave it out."
)


class WhichDaySerializer(serializers.Serializer):
    """Of which day."""

    day = WallDate(required=False)

    def validate_day(self, day: date) -> date:
        if day.year not in YEARS:
            self.fields["day"].fail("invalid", format="YYYY-MM-DD")
        return day


class RoomLimitsSerializer(serializers.Serializer):
    """What holds over all workers and whoever sends, by the room's own values, by those of its
    units, or as usual."""

    zone = serializers.CharField(help_text="In which the day begins and ends.")
    interval_seconds = serializers.IntegerField(help_text="Between two messages; 0: none.")
    daily_cap = serializers.IntegerField(
        allow_null=True, help_text="Messages a day. Null: as many as one likes."
    )
    quiet_from = serializers.TimeField(allow_null=True, format="%H:%M:%S")
    quiet_until = serializers.TimeField(allow_null=True, format="%H:%M:%S")
    day = serializers.DateField()
    taken = serializers.IntegerField(help_text="What was sent, is planned, or is to come that day.")
    left = serializers.IntegerField(allow_null=True, help_text="Null: as many as one likes.")


@extend_schema(tags=["rooms"])
class RoomLimitsViewSet(ScopedViewSet):
    """Rooms, for what they bear."""

    queryset = Room.objects.select_related("unit")
    serializer_class = RoomLimitsSerializer
    acts = {"limits": Act.VIEW}

    @extend_schema(parameters=[DAY], filters=False)
    @action(detail=True)
    def limits(self, request: Request, pk: str) -> Response:
        """What it bears, and what of it is taken on a day."""
        room, now = self.get_object(), database_now()
        said = WhichDaySerializer(data=request.query_params)
        said.is_valid(raise_exception=True)
        zone = room.unit.zone
        day = said.validated_data.get("day", windows.today(zone, now))
        asked = Asked(request.user, day, day + timedelta(days=1), zone, room=room)
        load = loads_of(asked, entries_of(asked, now)).get(day)
        bounds, taken = bounds_of([room])[room.pk], load.count if load else 0
        quiet, cap = bounds.quiet, bounds.cap or None
        answer: dict[str, Any] = {
            "zone": zone,
            "interval_seconds": int(bounds.interval.total_seconds()),
            "daily_cap": cap,
            "quiet_from": quiet and quiet.begins,
            "quiet_until": quiet and quiet.ends,
            "day": day,
            "taken": taken,
            "left": None if cap is None else max(cap - taken, 0),
        }
        return Response(self.get_serializer(answer).data)
