"""What a room bears on a day, what an account may send, and what of it is taken."""

from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Account, QuotaReading, Room
from config.scoped.api import ScopedViewSet
from config.scoped.fields import WallDate
from config.scoped.openapi import ProblemSerializer
from config.scoped.problems import MEDIA_TYPE
from orgs.clock import database_now, month_around
from orgs.reach import Act
from schedules.api.calendar import refuse_beyond
from schedules.api.quota import QuotaSerializer
from schedules.bookings.bounds import bounds_of
from schedules.bookings.spent import by_accounts
from schedules.shown import windows
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.entries import entries_of
from schedules.shown.calendar.shades import loads_of
from schedules.shown.quota import quotas

DAY = OpenApiParameter(
    "day", {"type": "string", "format": "date"}, description="Today if you leave it out."
)


class WhichDaySerializer(serializers.Serializer):
    """Of which day."""

    day = WallDate(required=False, validators=[refuse_beyond])


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

    @extend_schema(
        parameters=[DAY],
        filters=False,
        responses={200: RoomLimitsSerializer, (400, MEDIA_TYPE): ProblemSerializer},
    )
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


class RateSerializer(serializers.Serializer):
    """Of one of the channel's endpoints."""

    endpoint = serializers.CharField()
    per_second = serializers.FloatField(
        allow_null=True, help_text="Requests, over all workers. Null: as many as one likes."
    )


class AccountLimitsSerializer(serializers.Serializer):
    """What holds over all units that send through it, and what of it is taken."""

    zone = serializers.CharField(help_text="The channel's, in which days and months begin and end.")
    rates = RateSerializer(many=True, help_text="The account's own, or else the channel's.")
    day = serializers.DateField(help_text="Today.")
    sent_today = serializers.IntegerField(
        allow_null=True, help_text="As the channel bills messages. Null: it bills none."
    )
    month = QuotaSerializer(
        allow_null=True,
        help_text="As in `/quota`. Null: its channel was never asked, or bills none.",
    )


@extend_schema(tags=["accounts"])
class AccountLimitsViewSet(ScopedViewSet):
    """Accounts, for what they may send."""

    queryset = Account.objects.all()
    serializer_class = AccountLimitsSerializer
    acts = {"limits": Act.VIEW}

    @extend_schema(filters=False)
    @action(detail=True)
    def limits(self, request: Request, pk: str) -> Response:
        """What it may send in a second and in this month, and what it has sent."""
        account, now = self.get_object(), database_now()
        zone = account.quota_zone
        day = windows.today(zone, now)
        readings = QuotaReading.objects.filter(account=account).select_related("account")
        answer: dict[str, Any] = {
            "zone": zone,
            "rates": _rates(account),
            "day": day,
            "sent_today": _sent_since(windows.midnight(day, zone), account, now),
            "month": next(iter(quotas(list(readings), by=request.user, now=now)), None),
        }
        return Response(self.get_serializer(answer).data)


def _rates(account: Account) -> list[dict[str, Any]]:
    channel = account.adapter_class
    endpoints = sorted({channel.endpoint(batch=is_batch) for is_batch in (False, True)})
    return [{"endpoint": name, "per_second": account.rate_of(name)} for name in endpoints]


def _sent_since(moment: datetime, account: Account, now: datetime) -> int | None:
    if not account.meters:
        return None
    month = month_around(now, account.quota_zone)
    return by_accounts({account.pk: moment}, month, now)[account.pk].accepted
