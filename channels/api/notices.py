"""My notices in the API: how the runs ended that one has registered, and approvals."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.actions.notices import mark_one_read, mark_read
from channels.models import OwnNotice
from channels.models.own_notice import RESULTS
from channels.told.questions import still_answered
from config.scoped.api import ScopedViewSet
from config.scoped.fields import LARGEST, Moment, StrictBody, WholeNumber
from config.scoped.filters import YesNoFilter
from config.scoped.paging import Pages
from orgs.reach import Act

EVENTS = [(kind.value, label) for kind, label in RESULTS.items()]


class NoticeSerializer(serializers.ModelSerializer):
    """How a run ended, what approvers said, or that a schedule waits for one's own approval. What
    is found out later of a run takes the place of what was, and is new again."""

    run = serializers.IntegerField(source="run_id", read_only=True, allow_null=True)
    schedule = serializers.IntegerField(
        source="schedule_id",
        read_only=True,
        allow_null=True,
        help_text="Of `approval.…`, which is about no run.",
    )
    event = serializers.ChoiceField(source="kind", choices=EVENTS, read_only=True)
    note = serializers.CharField(read_only=True, help_text="What the approver wrote, or empty.")
    due_at = Moment(read_only=True, allow_null=True, help_text="The appointed time.")
    at = Moment(read_only=True)
    read_at = Moment(read_only=True, allow_null=True, help_text="Null: it is new.")

    class Meta:
        model = OwnNotice
        fields = ["id", "run", "schedule", "event", "title", "note", "due_at", "at", "read_at"]
        read_only_fields = fields


class UntilSerializer(StrictBody):
    """Which of them."""

    until = WholeNumber(
        min_value=1, max_value=LARGEST, help_text="The id of the newest that was seen."
    )


class MarkedSerializer(serializers.Serializer):
    """How many were new."""

    marked = serializers.IntegerField()


class NoticeFilter(filters.FilterSet):
    """Narrows one's notices."""

    is_read = YesNoFilter(method="told", label="Only those that were read, or only the new ones.")
    event = filters.ChoiceFilter("kind", choices=EVENTS)

    def told(self, rows: QuerySet[OwnNotice], name: str, value: Any) -> QuerySet[OwnNotice]:
        return rows if value is None else rows.filter(read_at__isnull=not value)


class PagesOfNotices(Pages):
    """The newest first."""

    ordering = ("-at", "-id")


@extend_schema(tags=["notices"])
class NoticeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """One's own notices, of what one may still see or answer."""

    queryset = OwnNotice.objects.all()
    serializer_class = NoticeSerializer
    filterset_class = NoticeFilter
    pagination_class = PagesOfNotices
    # That it was read is noted of one's own, whatever one's role: with a token that may write.
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW, "read": Act.USE, "read_all": Act.USE}

    def get_queryset(self) -> QuerySet:
        rows = super().get_queryset().filter(user=self.request.user.pk)
        return still_answered(self.request.user, rows)

    @extend_schema(request=None, responses=NoticeSerializer)
    @action(methods=["post"], detail=True)
    def read(self, request: Request, pk: str) -> Response:
        """It was read."""
        row = mark_one_read(self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(
        operation_id="notices_read_all",
        request=UntilSerializer,
        responses=MarkedSerializer,
        filters=False,
    )
    @action(methods=["post"], detail=False, url_path="read")
    def read_all(self, request: Request) -> Response:
        """All were read, up to the newest that was seen."""
        asked: Any = UntilSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        marked = mark_read(request.user, until=asked.validated_data["until"])
        return Response(MarkedSerializer({"marked": marked}).data)
