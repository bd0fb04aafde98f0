"""The log in the API: one entry for each delivery, with every try."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.filters import IdFilter, MomentFilter, UnitFilter
from config.scoped.paging import PagesByTime
from logs.models import Attempt
from orgs.reach import Act, within
from schedules.models import Delivery
from schedules.shown.chat import sent_content
from schedules.shown.times import times_of
from schedules.states import DeliveryState


class AttemptSerializer(serializers.ModelSerializer):
    """One try of one part, and what the channel answered."""

    claimed_at = Moment(
        read_only=True, allow_null=True, help_text="When a worker took hold of it for this try."
    )
    handed_over_at = Moment(
        source="wire_at",
        read_only=True,
        allow_null=True,
        help_text="When the request was handed to the network.",
    )
    answered_at = Moment(read_only=True, help_text="When the channel’s answer had been read.")
    lateness_ms = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="Of the try that counts for punctuality (the accepted first part, unless a "
        "person asked for it): as in the entry. Null for every other.",
    )

    class Meta:
        model = Attempt
        fields = [
            "part", "number", "claimed_at", "handed_over_at", "answered_at", "outcome",
            "lateness_ms", "status", "request_id", "answer", "error", "request",
        ]  # fmt: skip
        read_only_fields = fields


class SentContentSerializer(serializers.Serializer):
    """The content as it was sent, whatever has become of the schedule since."""

    text = serializers.CharField()
    images = serializers.SerializerMethodField(help_text="Their names.")
    order = serializers.CharField()

    def get_images(self, content: dict[str, Any]) -> list[str]:
        return [image["name"] for image in content["images"]]


class LogSerializer(serializers.ModelSerializer):
    """What became of one run in one room."""

    run = serializers.IntegerField(source="run_id", read_only=True)
    schedule = serializers.IntegerField(source="run.schedule_id", read_only=True)
    title = serializers.CharField(source="run.title", read_only=True)
    room = serializers.IntegerField(source="room_id", read_only=True, allow_null=True)
    content = serializers.SerializerMethodField()
    due_at = Moment(read_only=True, help_text="Its appointed time.")
    claimed_at = Moment(
        source="times.claimed_at",
        read_only=True,
        allow_null=True,
        help_text="When a worker took hold of it, for the try that counts for punctuality.",
    )
    handed_over_at = Moment(
        source="times.wire_at",
        read_only=True,
        allow_null=True,
        help_text="When the first part was handed to the network, by the try that was accepted; "
        "before one is, by the latest.",
    )
    accepted_at = Moment(
        source="times.accepted_at",
        read_only=True,
        allow_null=True,
        help_text="When the channel’s acceptance of the first part had been read.",
    )
    started_at = Moment(
        read_only=True, allow_null=True, help_text="The first hand-over, accepted or not."
    )
    completed_at = Moment(read_only=True, allow_null=True)
    lateness_ms = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="Whole milliseconds from when it was to leave (due_at, or the second that its "
        "room’s limits gave it) to handed_over_at, without the time for which a freeze or a pause "
        "held it back; rounded down, and negative would be early. Null until the first part is "
        "accepted, and where a person had it sent again.",
    )
    duration_ms = serializers.SerializerMethodField()
    parts_sent = serializers.IntegerField(source="part", read_only=True)
    parts_total = serializers.IntegerField(source="parts", read_only=True)
    request = serializers.SerializerMethodField(
        help_text="The X-Request-ID of the request from which it came; empty: of none."
    )
    attempts = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = [
            "id", "run", "schedule", "title", "room", "room_name", "channel", "state", "reason",
            "error", "content", "due_at", "claimed_at", "handed_over_at", "accepted_at",
            "started_at", "completed_at", "lateness_ms", "duration_ms", "status", "request_id",
            "tries", "parts_sent", "parts_total", "request", "attempts",
        ]  # fmt: skip
        read_only_fields = fields

    def get_duration_ms(self, delivery: Delivery) -> int | None:
        if delivery.started_at is None or delivery.completed_at is None:
            return None
        return (delivery.completed_at - delivery.started_at) // timedelta(milliseconds=1)

    def get_request(self, delivery: Delivery) -> str:
        return delivery.request or delivery.run.request

    @extend_schema_field(SentContentSerializer)
    def get_content(self, delivery: Delivery) -> Any:
        return SentContentSerializer(sent_content(delivery)).data

    @extend_schema_field(AttemptSerializer(many=True))
    def get_attempts(self, delivery: Delivery) -> Any:
        rows = self.context["attempts"].get(delivery.pk, [])
        return AttemptSerializer(rows, many=True).data


class LogFilter(filters.FilterSet):
    """Narrows a log."""

    schedule = IdFilter("run__schedule_id", label="Of this schedule, also a deleted one.")
    run = IdFilter("run_id", label="Of this run.")
    unit = UnitFilter(label="Of this unit itself.")
    room = IdFilter("room_id", label="To this room.")
    state = filters.ChoiceFilter(choices=DeliveryState.choices)
    channel = filters.CharFilter(label="Through this channel: line, sandbox, …")
    due_after = MomentFilter("due_at", "gte", label="Appointed for this moment or later.")
    due_before = MomentFilter("due_at", "lt", label="Appointed for before this moment.")
    search = filters.CharFilter(
        method="containing",
        label="Part of the title, of the room’s name, or of the channel’s id of the request.",
    )

    def containing(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        return rows.filter(
            Q(run__title__icontains=words)
            | Q(room_name__icontains=words)
            | Q(request_id__icontains=words)
        )


def log_of(user: Any) -> QuerySet[Delivery]:
    """The entries that the user may see. Without the payloads, which may be large."""
    rows = Delivery.objects.select_related("run").defer("run__payloads")
    return within(user, rows)


def entries(deliveries: Sequence[Delivery], user: Any) -> Any:
    """These deliveries as the API shows them, their tries read in one query."""
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    rows = Attempt.objects.filter(delivery_id__in=[delivery.pk for delivery in deliveries])
    for attempt in within(user, rows):
        attempts[attempt.delivery_id].append(attempt)
    for delivery in deliveries:
        vars(delivery)["times"] = times_of(delivery, attempts[delivery.pk])
    return LogSerializer(deliveries, many=True, context={"attempts": attempts}).data


@extend_schema(tags=["logs"])
class LogViewSet(ScopedViewSet):
    """What was sent, what was not, and why."""

    queryset = Delivery.objects.all()
    serializer_class = LogSerializer
    filterset_class = LogFilter
    pagination_class = PagesByTime
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW}

    def get_queryset(self) -> QuerySet:
        return log_of(self.request.user)

    def list(self, request: Request) -> Response:
        """The log of all sends, the latest appointed time first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        assert page is not None
        return self.get_paginated_response(entries(page, request.user))

    def retrieve(self, request: Request, pk: str) -> Response:
        """One entry of the log."""
        return Response(entries([self.get_object()], request.user)[0])
