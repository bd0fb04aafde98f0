"""What is done with the runs of a schedule, and what was done with it."""

from typing import Any
from uuid import uuid4

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Room
from config.scoped.acting import ActingViewSet
from config.scoped.fields import ScopedIds, StrictBody, WholeNumber, YesNo
from config.scoped.problems import Conflict
from logs.api import HistoryFilter, HistorySerializer, history_of
from orgs.clock import database_now
from orgs.reach import Act, within
from schedules import actions
from schedules.actions.locked import run_of
from schedules.api.not_confirmed import RefusedSerializer, refused_of
from schedules.api.representation import ScheduleSerializer
from schedules.api.runs import RunSerializer
from schedules.dispatch.by_hand import plan_due
from schedules.models import Delivery, Run, Schedule
from schedules.states import OPEN_RUN, DeliveryState

MOST_ROOMS = 20
MOST_LOGS = 1000
MOST_RUNS = 200


class WhichRunSerializer(StrictBody):
    """Which run is meant."""

    run = WholeNumber(
        required=False, min_value=1, help_text="If you leave it out: the latest that fits."
    )


class RetrySerializer(WhichRunSerializer):
    """Which run, and what of it, is sent once more."""

    logs = serializers.ListField(
        child=WholeNumber(min_value=1),
        required=False,
        allow_empty=False,
        max_length=MOST_LOGS,
        help_text="Only these of its log; otherwise all that failed.",
    )
    sure = YesNo(
        required=False,
        default=False,
        help_text="Needed for what is later than its grace allows: without it that is refused.",
    )


class RetriedSerializer(serializers.Serializer):
    """What became of what had failed."""

    run = RunSerializer()
    planned = serializers.ListField(
        child=serializers.IntegerField(), help_text="Entries of the log that are sent now."
    )
    refused = RefusedSerializer(many=True)


class TestSerializer(StrictBody):
    """Where the test goes."""

    rooms = ScopedIds(
        queryset=Room.objects.all(),
        required=False,
        allow_empty=False,
        max_length=MOST_ROOMS,
        help_text="Test rooms; all of the schedule’s unit if you leave it out.",
    )


class DuplicateSerializer(StrictBody):
    """Under which id of yours."""

    uid = serializers.UUIDField(
        required=False, help_text="The same one sent twice makes one draft."
    )


class RolledBackSerializer(serializers.Serializer):
    """What became of it."""

    run = RunSerializer()
    taken_back = serializers.IntegerField(help_text="Deliveries that had not left.")
    stays = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="By channel, how many deliveries it has and cannot take back.",
    )


class DueSerializer(serializers.Serializer):
    """What is due and not done yet."""

    planned = serializers.IntegerField(help_text="Runs that were planned by this request.")
    results = RunSerializer(many=True)


@extend_schema(tags=["schedules"])
class ScheduleActsViewSet(ActingViewSet):
    """Acts on the runs of schedules."""

    queryset = Schedule.objects.present()
    serializer_class = ScheduleSerializer
    acts = {
        "retry": Act.RUN,
        "rollback": Act.RUN,
        "test_send": Act.RUN,
        "execute_due": Act.RUN,
        "duplicate": Act.CREATE,
        "history": Act.VIEW,
    }
    made_at = {"duplicate": "schedule"}

    @extend_schema(request=RetrySerializer, responses=RetriedSerializer)
    @action(methods=["post"], detail=True)
    def retry(self, request: Request, pk: str) -> Response:
        """Send once more what failed for good of a run; what was sent is not sent again. Each
        stands for itself: what is refused is named."""
        schedule, said = self.get_object(), self._said(RetrySerializer)
        run = run_of(schedule, said.get("run"), schedule.runs.filter(failed__gt=0))
        failed = (
            run.deliveries.filter(state=DeliveryState.FAILED) if run else Delivery.objects.none()
        )
        if "logs" in said:
            failed = failed.filter(pk__in=said["logs"])
        ids = list(failed.values_list("pk", flat=True)[:MOST_LOGS])
        if run is None or not ids:
            raise Conflict(_("Nothing of it has failed for good."))
        done = actions.retry(ids, by=request.user, sure=said["sure"])
        run.refresh_from_db()
        found = {"run": run, "planned": done.planned, "refused": refused_of(done.refused)}
        return Response(RetriedSerializer(found).data)

    @extend_schema(request=WhichRunSerializer, responses=RolledBackSerializer)
    @action(methods=["post"], detail=True)
    def rollback(self, request: Request, pk: str) -> Response:
        """Take back what has not left of a run. What a channel has taken stays there: 409 where
        nothing can be taken back."""
        schedule, said = self.get_object(), self._said(WhichRunSerializer)
        done = actions.rollback(schedule, by=request.user, run_id=said.get("run"))
        return Response(RolledBackSerializer(done).data)

    @extend_schema(request=TestSerializer, responses={status.HTTP_202_ACCEPTED: RunSerializer})
    @action(methods=["post"], detail=True, url_path="test-send")
    def test_send(self, request: Request, pk: str) -> Response:
        """Send it as it now is to test rooms, once. Drafts can be tested too."""
        schedule, said = self.get_object(), self._said(TestSerializer)
        run = actions.send_test(schedule, by=request.user, rooms=said.get("rooms"))
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        request=DuplicateSerializer, responses={status.HTTP_201_CREATED: ScheduleSerializer}
    )
    @action(methods=["post"], detail=True)
    def duplicate(self, request: Request, pk: str) -> Response:
        """A draft with the same content."""
        schedule, said = self.get_object(), self._said(DuplicateSerializer)
        uid = said.get("uid") or uuid4()
        draft = actions.duplicate(schedule, by=request.user, uid=uid)
        row = Schedule.objects.get(pk=draft.pk)
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={status.HTTP_202_ACCEPTED: DueSerializer})
    @action(methods=["post"], detail=False, url_path="execute-due")
    def execute_due(self, request: Request) -> Response:
        """Plan at once what is due within your reach, and see what is under way. The machine does
        it by itself: this is for systems that were used to calling it, and for the impatient."""
        now = database_now()
        planned = plan_due(by=request.user, now=now)
        due = within(request.user, Run.objects.filter(state__in=OPEN_RUN, due_at__lte=now))
        light = due.select_related("pause").defer("payloads", "content")
        runs = light.order_by("due_at", "id")[:MOST_RUNS]
        answer = DueSerializer({"planned": planned, "results": runs})
        return Response(answer.data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        operation_id="schedules_history_list", filters=True, responses=HistorySerializer(many=True)
    )
    @action(
        detail=True,
        serializer_class=HistorySerializer,
        filterset_class=HistoryFilter,
        is_sparse=True,
    )
    def history(self, request: Request, pk: str) -> Response:
        """Who did what to one schedule, the latest first."""
        mine = history_of(request.user).filter(kind="schedule", object_id=self.get_object().pk)
        page = self.paginate_queryset(self.filter_queryset(mine))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def _said(self, body: type[StrictBody]) -> dict[str, Any]:
        asked = body(data=self.request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)
