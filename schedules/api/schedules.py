"""The endpoints of schedules."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db.models import Prefetch
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Room
from config.scoped.acting import ActingViewSet
from config.scoped.fields import own_unit
from config.scoped.filters import IdFilter
from config.scoped.paging import PagesByTime
from orgs.clock import database_now
from orgs.reach import Act
from schedules import actions
from schedules.api import writing
from schedules.api.counts import AllCountedSerializer
from schedules.api.logs import LogFilter, LogSerializer, entries, log_of
from schedules.api.move import Moves
from schedules.api.occurrences import Occurrences
from schedules.api.preview import Previews
from schedules.api.quota import CostsSerializer
from schedules.api.rehearsing import Rehearsal, RehearsingViewSet, as_heard
from schedules.api.representation import ScheduleSerializer
from schedules.api.revisions import IF_MATCH, as_read, revisions_said
from schedules.api.runs import RunSerializer
from schedules.models import Schedule, ScheduleImage
from schedules.shown.audience import audience_of
from schedules.shown.cost import cost_of
from schedules.shown.counted import counted_of_schedule
from schedules.states import ScheduleState


class ScheduleFilter(filters.FilterSet):
    """Narrows the list of schedules."""

    state = filters.ChoiceFilter(choices=ScheduleState.choices)
    unit = IdFilter(label="Of this unit itself.")
    room = IdFilter("rooms", label="To this room.")
    search = filters.CharFilter("title", "icontains", label="Part of the title.")


@extend_schema(tags=["schedules"])
class ScheduleViewSet(
    Occurrences,
    Moves,
    Previews,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    RehearsingViewSet,
    ActingViewSet,
):
    """Schedules within reach."""

    queryset = (
        Schedule.objects.present()
        .select_related("unit", "registered_by", "preflight")
        .prefetch_related(
            Prefetch("rooms", Room.objects.only("id").order_by("id")),
            Prefetch("schedule_images", ScheduleImage.objects.order_by("position")),
        )
    )
    serializer_class = ScheduleSerializer
    filterset_class = ScheduleFilter
    rehearsed = frozenset({"create", "update", "partial_update", "register"})
    orderings = ("title", "created_at", "updated_at")
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "occurrences": Act.VIEW,
        "occurrence": Act.VIEW,
        "change_occurrence": Act.CHANGE,
        "take_back_occurrence": Act.CHANGE,
        "move_occurrence": Act.CHANGE,
        "preview": Act.VIEW,
        "cost": Act.VIEW,
        "statistics": Act.VIEW,
        "logs": Act.VIEW,
        "create": Act.CREATE,
        "register": Act.CREATE,
        "update": Act.CHANGE,
        "partial_update": Act.CHANGE,
        "destroy": Act.DELETE,
        "toggle": Act.RUN,
        "cancel": Act.RUN,
        "execute": Act.RUN,
        "check": Act.RUN,
    }
    tagged = (
        "retrieve", "create", "update", "partial_update", "register", "toggle", "cancel", "check",
    )  # fmt: skip

    def retrieve(self, request: Request, pk: str) -> Response:
        """One schedule. Its ETag is good for If-Match."""
        return self._answer(self.get_object())

    @extend_schema(responses={status.HTTP_201_CREATED: ScheduleSerializer})
    def create(self, request: Request) -> Response:
        """Register a schedule, or keep it as a draft with `"state": "draft"`."""
        asked, (heard,) = self._asked_new(), self.heard_each(1)
        schedule = as_heard(heard, partial(writing.create, **asked))
        return self._answer(schedule, status.HTTP_201_CREATED)

    @extend_schema(parameters=[IF_MATCH])
    def update(self, request: Request, pk: str) -> Response:
        """Replace a schedule: what is left out returns to its default, but for the unit."""
        return self._edit(whole=True)

    @extend_schema(parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. All of it is changed, or nothing."""
        return self._edit(whole=False)

    @extend_schema(parameters=[IF_MATCH], responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Cancel and remove a schedule. Its log stays."""
        self._done(actions.delete)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(parameters=[IF_MATCH], request=None, responses=ScheduleSerializer)
    @action(methods=["post"], detail=True)
    def register(self, request: Request, pk: str) -> Response:
        """Make a draft active. One that is registered stays as it is."""
        (heard,) = self.heard_each(1)
        return self._answer(as_heard(heard, partial(self._done, actions.register)))

    @extend_schema(parameters=[IF_MATCH], request=None, responses=ScheduleSerializer)
    @action(methods=["post"], detail=True)
    def toggle(self, request: Request, pk: str) -> Response:
        """Pause what is active, resume what is paused."""
        return self._answer(self._done(actions.toggle))

    @extend_schema(parameters=[IF_MATCH], request=None, responses=ScheduleSerializer)
    @action(methods=["post"], detail=True)
    def cancel(self, request: Request, pk: str) -> Response:
        """End it for good. What waits is not sent."""
        return self._answer(self._done(actions.cancel))

    @extend_schema(
        parameters=[IF_MATCH], request=None, responses={status.HTTP_202_ACCEPTED: RunSerializer}
    )
    @action(methods=["post"], detail=True)
    def execute(self, request: Request, pk: str) -> Response:
        """Send it now, once, besides its timing."""
        run = self._done(actions.execute)
        run.refresh_from_db()
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={status.HTTP_202_ACCEPTED: ScheduleSerializer})
    @action(methods=["post"], detail=True)
    def check(self, request: Request, pk: str) -> Response:
        """Look now whether its next run would go. A worker does so within seconds: read
        `preflight` until `is_waiting` is false."""
        return self._answer(
            actions.check(self.get_object(), by=request.user), status.HTTP_202_ACCEPTED
        )

    @extend_schema(responses=CostsSerializer)
    @action(detail=True)
    def cost(self, request: Request, pk: str) -> Response:
        """What one run of it costs, and what is left of the month before it."""
        # Anew: of a list's rooms only the ids are read.
        schedule = Schedule.objects.select_related("unit").get(pk=self.get_object().pk)
        audience = audience_of(schedule, by=request.user)
        lines = cost_of(schedule, by=request.user, now=database_now(), audience=audience)
        return Response(CostsSerializer({"results": lines}).data)

    @extend_schema(responses=AllCountedSerializer)
    @action(detail=True)
    def statistics(self, request: Request, pk: str) -> Response:
        """How many people opened its messages, as the channels say that count it."""
        lines = counted_of_schedule(self.get_object(), by=request.user)
        return Response(AllCountedSerializer({"results": lines}).data)

    @extend_schema(
        operation_id="schedules_logs_list", filters=True, responses=LogSerializer(many=True)
    )
    @action(
        detail=True,
        serializer_class=LogSerializer,
        filterset_class=LogFilter,
        pagination_class=PagesByTime,
        orderings=(),
        is_sparse=True,
    )
    def logs(self, request: Request, pk: str) -> Response:
        """The log of one schedule."""
        schedule = self.get_object()
        page = self.paginate_queryset(
            self.filter_queryset(log_of(request.user).filter(run__schedule=schedule))
        )
        assert page is not None
        return self.get_paginated_response(entries(page, request.user))

    def _values(self, request: Request, **kwargs: Any) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def rehearsals(self) -> Sequence[Rehearsal]:
        match self.action:
            case "create":
                return [lambda: writing.ask_create(**self._asked_new())]
            case "register":
                return [lambda: writing.ask_register(self.get_object(), by=self.request.user)]
        whole = self.action == "update"
        return [lambda: writing.ask_edit(**self._asked_change(whole=whole))]

    def _asked_new(self) -> dict[str, Any]:
        values = self._values(self.request)
        unit = values.pop("unit", None) or own_unit(self.request.user)
        return {"values": values, "by": self.request.user, "unit": unit}

    def _asked_change(self, *, whole: bool) -> dict[str, Any]:
        schedule = self.get_object()
        values = self._values(self.request, instance=schedule, partial=not whole)
        said = {"revisions": revisions_said(self.request, values), "whole": whole}
        return {"schedule": schedule, "values": values, "by": self.request.user, **said}

    def _edit(self, *, whole: bool) -> Response:
        asked, (heard,) = self._asked_change(whole=whole), self.heard_each(1)
        return self._answer(as_heard(heard, partial(writing.edit, **asked)))

    def _done(self, act: Callable[..., Any]) -> Any:
        """What the act answers, done to the schedule as its caller has read it."""
        schedule = self.get_object()
        with as_read(self.request, schedule):
            return act(schedule, by=self.request.user)

    def _answer(self, schedule: Schedule, code: int = status.HTTP_200_OK) -> Response:
        """The schedule as it now stands in the table."""
        row = self.get_queryset().get(pk=schedule.pk)
        headers = {"ETag": f'"{row.revision}"'}
        return Response(self.get_serializer(row).data, status=code, headers=headers)
