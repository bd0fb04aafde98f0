"""Runs as the API shows them: also those of which no room has an entry in the log."""

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers

from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.filters import IdFilter, MomentFilter, UnitFilter
from config.scoped.paging import PagesByTime
from orgs.reach import Act
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

    class Meta:
        model = Run
        fields = [
            "id", "schedule", "title", "trigger", "kind", "state", "reason", "detail", "zone",
            "due_at", "first_due_at", "planned_at", "started_at", "completed_at", "priority",
            "total", "sent", "failed", "unconfirmed", "skipped", "expected", "recipients",
            "request",
        ]  # fmt: skip
        read_only_fields = fields


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
class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Every run, the latest appointed time first; one that was skipped as a whole says why."""

    queryset = Run.objects.defer("content", "payloads", "labels")
    serializer_class = RunSerializer
    filterset_class = RunFilter
    pagination_class = PagesByTime
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW}
