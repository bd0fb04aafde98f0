"""Runs as the API shows them: also those of which no room has an entry in the log."""

from collections.abc import Callable
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.fields import Moment
from config.scoped.filters import IdFilter, MomentFilter, UnitFilter
from config.scoped.paging import PagesByTime
from orgs.reach import Act
from schedules.actions.pause_run import pause_run, resume_run
from schedules.models import Run
from schedules.states import RunState


class RunSerializer(serializers.ModelSerializer):
    """A run: one sending to all rooms of a schedule. Its log: /logs?run={id}."""

    schedule = serializers.IntegerField(source="schedule_id", read_only=True)
    due_at = Moment(read_only=True, help_text="Its appointed time.")
    first_due_at = Moment(read_only=True, allow_null=True)
    planned_at = Moment(read_only=True)
    started_at = Moment(read_only=True, allow_null=True)
    completed_at = Moment(read_only=True, allow_null=True)
    paused_at = Moment(
        source="pause.paused_at",
        read_only=True,
        allow_null=True,
        help_text="Since when a person holds what has not left of it. Null: nobody does.",
    )
    paused_by = serializers.CharField(source="pause.paused_by", read_only=True, allow_null=True)

    class Meta:
        model = Run
        fields = [
            "id", "schedule", "title", "trigger", "kind", "state", "reason", "detail", "zone",
            "due_at", "first_due_at", "planned_at", "started_at", "completed_at", "priority",
            "total", "sent", "failed", "unconfirmed", "skipped", "expected", "recipients",
            "paused_at", "paused_by", "request",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"kind": {"allow_blank": True}}


class RunFilter(filters.FilterSet):
    """Narrows the list of runs."""

    schedule = IdFilter("schedule_id", label="Of this schedule, also a deleted one.")
    unit = UnitFilter(label="Of this unit itself.")
    state = filters.ChoiceFilter(choices=RunState.choices)
    reason = filters.ChoiceFilter(
        choices=[choice for choice in Run.Reason.choices if choice[0]],
        label="Skipped as a whole for this reason.",
    )
    trigger = filters.ChoiceFilter(choices=Run.Trigger.choices, label="What started it.")
    due_after = MomentFilter("due_at", "gte", label="Appointed for this moment or later.")
    due_before = MomentFilter("due_at", "lt", label="Appointed for before this moment.")


@extend_schema(tags=["logs"])
class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Every run, the latest appointed time first; one that was skipped as a whole says why."""

    queryset = Run.objects.select_related("pause").defer("content", "payloads", "labels")
    serializer_class = RunSerializer
    filterset_class = RunFilter
    pagination_class = PagesByTime
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW, "pause": Act.RUN, "resume": Act.RUN}

    @extend_schema(request=None, responses=RunSerializer)
    @action(methods=["post"], detail=True)
    def pause(self, request: Request, pk: str) -> Response:
        """Hand over nothing more of a run that is under way. The rest waits, as long as it may be
        late."""
        return self._act(pause_run)

    @extend_schema(request=None, responses=RunSerializer)
    @action(methods=["post"], detail=True)
    def resume(self, request: Request, pk: str) -> Response:
        """Let it go on. Who stands below whoever paused it may not."""
        return self._act(resume_run)

    def _act(self, act: Callable[..., Any]) -> Response:
        act(self.get_object(), by=self.request.user)
        return Response(self.get_serializer(self.get_object()).data)
