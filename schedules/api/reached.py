"""What went to one person: the runs, when, and what became of them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Recipient
from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.paging import PagesByTime
from orgs.reach import Act
from schedules.api.logs import log_of
from schedules.models import Delivery


class ReachedSerializer(serializers.ModelSerializer):
    """One run to a batch in which the person is, or to the room that is this person."""

    log = serializers.IntegerField(source="id", read_only=True, help_text="Its entry: /logs/{id}.")
    run = serializers.IntegerField(source="run_id", read_only=True)
    schedule = serializers.IntegerField(source="run.schedule_id", read_only=True)
    title = serializers.CharField(source="run.title", read_only=True)
    audience = serializers.IntegerField(source="audience_id", read_only=True, allow_null=True)
    room = serializers.IntegerField(source="room_id", read_only=True, allow_null=True)
    due_at = Moment(read_only=True, help_text="Its appointed time.")
    completed_at = Moment(read_only=True, allow_null=True)
    refused = serializers.BooleanField(
        source="is_refused",
        read_only=True,
        help_text="The channel took the others of the batch, and not this person.",
    )

    class Meta:
        model = Delivery
        fields = [
            "log", "run", "schedule", "title", "audience", "batch", "room", "due_at", "state",
            "reason", "completed_at", "refused",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema(tags=["recipients"])
class ReachedViewSet(ScopedViewSet):
    """Recipients, for what has reached them."""

    queryset = Recipient.objects.all()
    serializer_class = ReachedSerializer
    acts = {"reached": Act.VIEW}

    @extend_schema(
        operation_id="recipients_reached_list",
        filters=False,
        responses=ReachedSerializer(many=True),
    )
    @action(detail=True, pagination_class=PagesByTime, is_sparse=True)
    def reached(self, request: Request, pk: str) -> Response:
        """Which runs went to this person, the latest first; also those to audiences in which
        the person no longer is."""
        rows: QuerySet[Any] = log_of(request.user).to_person(self.get_object())  # type: ignore[attr-defined]
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
