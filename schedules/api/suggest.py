"""The hour at which to send, suggested by what was opened."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Audience, Room
from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.filters import IdFilter
from config.scoped.openapi import ProblemSerializer
from config.scoped.problems import MEDIA_TYPE
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, under, within
from schedules.models import Run
from schedules.shown.best_hour import LeftOut, Why, best_hour, gone_to


class SuggestTimeFilter(filters.FilterSet):
    """Narrows what is looked at."""

    unit = IdFilter(method="of_unit", label="Sent by this unit and those under it.")
    room = IdFilter(method="to_room", label="Sent to this room.")
    audience = IdFilter(method="to_audience", label="Sent to this audience.")

    def of_unit(self, runs: QuerySet[Run], name: str, pk: int) -> QuerySet[Run]:
        unit = within(self.request.user, Unit.objects.filter(pk=pk)).first()
        return under(unit, runs) if unit else runs.none()

    def to_room(self, runs: QuerySet[Run], name: str, pk: int) -> QuerySet[Run]:
        return gone_to(runs, room__in=within(self.request.user, Room.objects.filter(pk=pk)))

    def to_audience(self, runs: QuerySet[Run], name: str, pk: int) -> QuerySet[Run]:
        reached = within(self.request.user, Audience.objects.filter(pk=pk))
        return gone_to(runs, audience__in=reached)


class OpenedHourSerializer(serializers.Serializer):
    """What was sent in one hour of the day, and opened."""

    hour = serializers.IntegerField(help_text="0 to 23, by the clock of each schedule.")
    sends = serializers.IntegerField(help_text="Runs.")
    recipients = serializers.IntegerField(help_text="A person counts once for each message.")
    opened = serializers.IntegerField(help_text="People, as the channel told.")
    share = serializers.FloatField(help_text="Of the recipients so many opened it, or more.")
    share_at_most = serializers.FloatField(
        help_text="Higher, where a label had several messages or too few to be told."
    )


class LeftOutSerializer(serializers.Serializer):
    """How many labels say nothing of an hour."""

    several_hours = serializers.IntegerField(help_text="Their runs went at different hours.")
    not_counted_yet = serializers.IntegerField(
        help_text="The day after their last run was not told yet."
    )


class SuggestedTimeSerializer(serializers.Serializer):
    """The hour that is suggested, and what is known of each."""

    since = Moment(help_text="What was due before is not looked at.")
    suggestion = OpenedHourSerializer(source="best", allow_null=True)
    why = serializers.ChoiceField(
        choices=[*Why.values, ""], help_text="Why there is no suggestion; empty: there is one."
    )
    detail = serializers.CharField(source="words", help_text="The same in words.")
    hours = OpenedHourSerializer(many=True, help_text="Those of which something is known.")
    left_out = serializers.SerializerMethodField()

    def get_left_out(self, found: Any) -> Any:
        return {name: found.left_out[name] for name in LeftOut.values}


@extend_schema(tags=["figures"])
class SuggestTimeViewSet(ScopedViewSet):
    """What channels tell of who opened messages, by the hour."""

    queryset = Run.objects.exclude(trigger=Run.Trigger.TEST)
    serializer_class = SuggestedTimeSerializer
    filterset_class = SuggestTimeFilter
    acts = {"suggest": Act.VIEW}

    @extend_schema(
        operation_id="suggest_time",
        filters=True,
        responses={200: SuggestedTimeSerializer, (400, MEDIA_TYPE): ProblemSerializer},
    )
    def suggest(self, request: Request) -> Response:
        """The hour at which most people open messages; none where what is known does not say."""
        runs = self.filter_queryset(self.get_queryset())
        return Response(self.get_serializer(best_hour(runs, now=database_now())).data)
