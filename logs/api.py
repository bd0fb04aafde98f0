"""The history in the API: who did what, when, and what changed."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers

from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.filters import MomentFilter
from logs.models import History
from orgs.reach import Act, within


class HistorySerializer(serializers.ModelSerializer):
    """One act, by a person or by the machine."""

    at = Moment(read_only=True)
    changes: Any = serializers.DictField(
        read_only=True, help_text="By field [before, after], or facts about the act."
    )

    class Meta:
        model = History
        fields = [
            "id", "at", "actor", "via", "address", "verb", "kind", "object_id", "object_name",
            "changes",
        ]  # fmt: skip
        read_only_fields = fields


class HistoryFilter(filters.FilterSet):
    """Narrows a history."""

    verb = filters.CharFilter(label="What was done: created, paused, sent, …")
    kind = filters.CharFilter(label="To what: schedule, run, room, …")
    object_id = filters.CharFilter(label="To the one with this id.", max_length=40)
    actor = filters.CharFilter(label="By this person.")
    since = MomentFilter("at", "gte", label="At this moment or later.")
    until = MomentFilter("at", "lt", label="Before this moment.")


def history_of(user: Any) -> QuerySet[History]:
    """The entries that the user may see."""
    return within(user, History.objects.all())


@extend_schema(tags=["history"])
class HistoryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Who did what, the latest first. Nothing of it is ever changed."""

    queryset = History.objects.all()
    serializer_class = HistorySerializer
    filterset_class = HistoryFilter
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW}
