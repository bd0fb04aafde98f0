"""What waits for approval: read as it would be sent, approved, refused."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import DateTimeField, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment, StrictBody
from config.scoped.filters import IdFilter, YesNoFilter
from config.scoped.openapi import ProblemSerializer
from config.scoped.paging import Pages
from config.scoped.problems import MEDIA_TYPE, Conflict
from orgs.reach import Act
from schedules import actions
from schedules.actions.approve import is_own
from schedules.api.representation import ScheduleSerializer
from schedules.clearance import digest_of, facts_of
from schedules.models import Approval, Schedule
from schedules.models.approval import NOTE_LENGTH

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # what goes at once is the soonest


class ApprovalSerializer(serializers.Serializer):
    """The last question to the approvers, and the schedule as it now is."""

    unit = serializers.IntegerField(
        source="unit_id", help_text="Its approvers are asked, and those above."
    )
    asked_at = Moment()
    asked_by: Any = serializers.StringRelatedField(allow_null=True)
    answer = serializers.ChoiceField(
        choices=Approval.Verdict.choices,
        source="verdict",
        allow_blank=True,
        help_text="Empty: it waits for an answer.",
    )
    note = serializers.CharField(help_text="What the approver wrote.")
    answered_at = Moment(allow_null=True)
    answered_by: Any = serializers.StringRelatedField(allow_null=True)
    content = serializers.DictField(
        help_text="All that decides what is sent, when and to whom, as it is now."
    )
    digest = serializers.CharField(help_text="Of that content: it is what is approved.")


class YesSerializer(StrictBody):
    """A yes is for what was seen."""

    digest = serializers.CharField(
        max_length=64, help_text="Of what you have seen. 409 where it has changed since."
    )
    note = serializers.CharField(max_length=NOTE_LENGTH, default="", allow_blank=True)


class NoSerializer(StrictBody):
    """A no says why."""

    note = serializers.CharField(max_length=NOTE_LENGTH, help_text="What is to be mended.")


@extend_schema(tags=["schedules"])
class ApprovalViewSet(ActingViewSet):
    """Schedules of units that demand approval."""

    queryset = Schedule.objects.present()
    serializer_class = ScheduleSerializer
    acts = {"approval": Act.VIEW, "approve": Act.APPROVE, "refuse": Act.APPROVE}
    tagged = ("approve", "refuse")

    @extend_schema(responses={200: ApprovalSerializer, (409, MEDIA_TYPE): ProblemSerializer})
    @action(detail=True)
    def approval(self, request: Request, pk: str) -> Response:
        """What its approvers were asked the last time, and said. 409 where nobody was asked."""
        row = self.get_object()
        rows = Approval.objects.select_related("asked_by", "answered_by")
        asked: Any = rows.filter(schedule=row).first()
        if asked is None:
            raise Conflict(_("Nobody was asked to approve it."))
        asked.content = facts_of(row)
        asked.digest = digest_of(asked.content)
        return Response(ApprovalSerializer(asked).data)

    @extend_schema(request=YesSerializer, responses=ScheduleSerializer)
    @action(methods=["post"], detail=True)
    def approve(self, request: Request, pk: str) -> Response:
        """Let it go exactly as you have seen it. Needs an approver of the unit that demands it, or
        above, who has not registered or changed it."""
        said = self._said(YesSerializer)
        row = self.get_object()
        done = actions.approve(row, by=request.user, seen=said["digest"], note=said["note"])
        return self._answer(done)

    @extend_schema(request=NoSerializer, responses=ScheduleSerializer)
    @action(methods=["post"], detail=True)
    def refuse(self, request: Request, pk: str) -> Response:
        """Give it back to its author as a draft, with a note."""
        said = self._said(NoSerializer)
        return self._answer(actions.refuse(self.get_object(), by=request.user, note=said["note"]))

    def _answer(self, schedule: Schedule) -> Response:
        row = Schedule.objects.get(pk=schedule.pk)
        return Response(self.get_serializer(row).data, headers={"ETag": f'"{row.revision}"'})

    def _said(self, body: type[StrictBody]) -> dict[str, Any]:
        asked = body(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)


class WaitingSerializer(serializers.ModelSerializer):
    """A question to approvers that nobody has answered yet."""

    schedule = serializers.IntegerField(
        source="schedule_id", read_only=True, help_text="It is answered there."
    )
    title = serializers.CharField(source="schedule.title", read_only=True)
    unit = serializers.IntegerField(
        source="unit_id", read_only=True, help_text="Its approvers answer, and those above."
    )
    asked_at = Moment(read_only=True)
    asked_by: Any = serializers.StringRelatedField(allow_null=True)
    due_at = Moment(
        source="schedule.next_due_at",
        read_only=True,
        allow_null=True,
        help_text="When it is to go. Null: as soon as it is approved.",
    )
    is_own = serializers.SerializerMethodField(
        help_text="You have registered or changed it: somebody else answers."
    )
    content = serializers.DictField(
        source="facts",
        help_text="All that decides what is sent, when and to whom, as it was asked.",
    )
    digest = serializers.CharField(read_only=True, help_text="Of that content.")

    class Meta:
        model = Approval
        fields = [
            "id", "schedule", "title", "unit", "asked_at", "asked_by", "due_at", "is_own",
            "content", "digest",
        ]  # fmt: skip
        read_only_fields = fields

    def get_is_own(self, asked: Approval) -> bool:
        return is_own(asked, self.context["request"].user)


class WaitingFilter(filters.FilterSet):
    """Narrows the queue."""

    unit = IdFilter(label="Whose approvers are asked: those of this unit itself.")
    is_own = YesNoFilter(
        method="of_oneself", label="Only what you have registered or changed, or only the rest."
    )

    def of_oneself(self, rows: QuerySet, _name: str, value: bool | None) -> QuerySet:
        user = self.request.user.pk
        own = Q(schedule__registered_by=user) | Q(asked_by=user)
        return rows if value is None else rows.filter(own) if value else rows.exclude(own)


class SoonestFirst(Pages):
    """By when it is to go."""

    ordering = ("due_at", "id")


@extend_schema(tags=["schedules"])
class ApprovalQueueViewSet(mixins.ListModelMixin, ScopedViewSet):
    """What waits for approval, the soonest first. Needs an approver, or who stands in for one."""

    queryset = (
        Approval.objects.waiting()
        .select_related("schedule", "asked_by")
        .annotate(due_at=Coalesce("schedule__next_due_at", Value(LONG_AGO, DateTimeField())))
    )
    serializer_class = WaitingSerializer
    filterset_class = WaitingFilter
    pagination_class = SoonestFirst
    acts = {"list": Act.VIEW}
