"""The archive in the API: runs that were taken out of the log, searched and read."""

import logging
from datetime import date
from http import HTTPStatus
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.filters import IdFilter, MomentFilter, UnitFilter
from config.scoped.openapi import ProblemSerializer
from config.scoped.paging import PagesByTime
from config.scoped.problems import MEDIA_TYPE
from orgs.reach import Act
from schedules.api.logs import LogSerializer
from schedules.archive.read import Read, read
from schedules.archive.trouble import Trouble
from schedules.models import ArchivedRun
from schedules.shown.times import times_of
from schedules.states import RunState

logger = logging.getLogger(__name__)

ENTRIES_A_PAGE = 100
FROM = OpenApiParameter(
    "from", {"type": "integer", "minimum": 0}, OpenApiParameter.QUERY,
    description="How many entries are passed over: `next_from` of the page before.",
)  # fmt: skip


class Unreadable(APIException):
    """The line is there, its file is not."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = gettext_lazy("The file of this month cannot be read.")
    default_code = "unreadable"


class ArchivedRunSerializer(serializers.ModelSerializer):
    """A run that is over, with its id of before. Its log: /archive/{id}/logs."""

    due_at = Moment(read_only=True, help_text="Its appointed time.")
    schedule = serializers.IntegerField(source="schedule_id", read_only=True)
    month = serializers.StringRelatedField(help_text="Of UTC, as the archive’s files are: 2026-01.")  # type: ignore[var-annotated]

    class Meta:
        model = ArchivedRun
        fields = [
            "id", "schedule", "month", "title", "trigger", "kind", "state", "reason", "zone",
            "due_at", "total", "sent",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"kind": {"allow_blank": True}}


class ArchivedLogSerializer(serializers.Serializer):
    """Entries of the log as they were."""

    next_from = serializers.IntegerField(
        allow_null=True, help_text="With which `from` it goes on; null: this is the end."
    )
    results = LogSerializer(many=True)


class MonthField(forms.CharField):
    """A month in an address."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return date.fromisoformat(f"{text}-01") if text else None
        except ValueError as error:
            raise forms.ValidationError(_("Write a month as 2026-01.")) from error


@extend_schema_field({"type": "string", "pattern": r"^\d{4}-\d\d$", "example": "2026-01"})
class MonthFilter(filters.Filter):
    """Rows of one month."""

    field_class = MonthField


class ArchiveFilter(filters.FilterSet):
    """Narrows the archive."""

    schedule = IdFilter("schedule_id", label="Of this schedule, also a deleted one.")
    unit = UnitFilter(label="Of this unit itself.")
    month = MonthFilter("month__month", label="Of this month of UTC.")
    state = filters.ChoiceFilter(choices=RunState.choices)
    due_after = MomentFilter("due_at", "gte", label="Appointed for this moment or later.")
    due_before = MomentFilter("due_at", "lt", label="Appointed for before this moment.")
    search = filters.CharFilter(
        method="named", label="Part of the title, or of a room’s name.", max_length=100
    )

    def named(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(Q(title__icontains=value) | Q(rooms__icontains=value))


@extend_schema(tags=["logs"])
class ArchiveViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """What was sent long ago, the latest appointed time first."""

    queryset = ArchivedRun.objects.select_related("month").defer("rooms")
    serializer_class = ArchivedRunSerializer
    filterset_class = ArchiveFilter
    pagination_class = PagesByTime
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW, "logs": Act.VIEW}

    @extend_schema(
        parameters=[FROM],
        responses={
            200: ArchivedLogSerializer,
            (400, MEDIA_TYPE): ProblemSerializer,
            (503, MEDIA_TYPE): ProblemSerializer,
        },
        filters=False,
    )
    @action(detail=True, pagination_class=None, filterset_class=None)
    def logs(self, request: Request, pk: str) -> Response:
        """Its entries of the log, what waits for nobody any more last; 100 at a time."""
        row = self.get_object()
        start = _start_in(request)
        try:
            found = read(row, start=start, most=ENTRIES_A_PAGE)
        except Trouble as trouble:
            logger.error("archived run %s cannot be shown: %s", row.pk, trouble)
            raise Unreadable from trouble
        following = start + ENTRIES_A_PAGE if found.has_more else None
        return Response({"next_from": following, "results": _entries(found)})


def _start_in(request: Request) -> int:
    asked = request.query_params.get("from", "") or "0"
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        raise serializers.ValidationError({"from": [_("Write a number, 0 or larger.")]})
    return int(asked)


def _entries(found: Read) -> Any:
    for sent in found.sent:
        sent.delivery.run = found.run
        vars(sent.delivery)["times"] = times_of(sent.delivery, sent.attempts)
    attempts = {sent.delivery.pk: sent.attempts for sent in found.sent}
    rows = [sent.delivery for sent in found.sent]
    return LogSerializer(rows, many=True, context={"attempts": attempts}).data
