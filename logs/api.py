"""The history in the API: who did what, when, and what changed."""

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.filters import MomentFilter
from logs.models import History, Punctuality
from logs.stats.figures import Figures
from logs.stats.lateness import PROMISE
from logs.stats.punctuality import report
from orgs.clock import database_now
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
            "changes", "request",
        ]  # fmt: skip
        read_only_fields = fields


class HistoryFilter(filters.FilterSet):
    """Narrows a history."""

    verb = filters.CharFilter(label="What was done: created, paused, sent, …")
    kind = filters.CharFilter(label="To what: schedule, run, room, …")
    object_id = filters.CharFilter(label="To the one with this id.", max_length=40)
    actor = filters.CharFilter(label="By this person.")
    request = filters.CharFilter(label="By the request with this id.", max_length=64)
    since = MomentFilter("at", "gte", label="At this moment or later.")
    until = MomentFilter("at", "lt", label="Before this moment.")
    search = filters.CharFilter(
        method="containing",
        label="Part of what it was done to, of who did it, or of their address; or the id of the "
        "request.",
    )

    def containing(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        return rows.filter(
            Q(object_name__icontains=words)
            | Q(actor__icontains=words)
            | Q(address__icontains=words)
            | Q(request=words)
        )


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


class LatenessSerializer(serializers.Serializer):
    """How late deliveries were, in milliseconds. Null: there was none."""

    count = serializers.IntegerField(help_text="Deliveries of which the first part was accepted.")
    p50_ms = serializers.IntegerField(source="p50", allow_null=True)
    p99_ms = serializers.IntegerField(
        source="p99", allow_null=True, help_text="At most 2 % too high, never too low."
    )
    worst_ms = serializers.IntegerField(allow_null=True)
    early = serializers.IntegerField(help_text="Handed over before their time.")
    is_kept = serializers.SerializerMethodField(help_text="Whether all promises were kept.")

    def get_is_kept(self, figures: Figures) -> bool:
        return figures.keeps_p50 and figures.keeps_p99 and figures.keeps_never_early


class LateDaySerializer(LatenessSerializer):
    """Of one day."""

    day = serializers.DateField()


class LateChannelSerializer(LatenessSerializer):
    """Of one channel."""

    channel = serializers.CharField()


class PromiseSerializer(serializers.Serializer):
    """At most so late; and none is early."""

    p50_ms = serializers.IntegerField(source="p50")
    p99_ms = serializers.IntegerField(source="p99")


class PunctualitySerializer(serializers.Serializer):
    """The last 30 days of all within your reach, as the page “Punctuality” has them."""

    zone = serializers.CharField(help_text="In which the days begin and end.")
    promise = PromiseSerializer()
    today = LatenessSerializer()
    total = LatenessSerializer()
    days = LateDaySerializer(many=True, help_text="All 30, the first of them first.")
    channels = LateChannelSerializer(many=True)


@extend_schema(tags=["figures"])
class PunctualityViewSet(ScopedViewSet):
    """How punctual deliveries were."""

    queryset = Punctuality.objects.all()
    serializer_class = PunctualitySerializer
    acts = {"report": Act.VIEW}

    @extend_schema(operation_id="punctuality", filters=False)
    def report(self, request: Request) -> Response:
        """How late deliveries were, beside what is promised."""
        found = report(request.user, database_now())
        days = [_named(figures, day=day) for day, figures in found.days.items()]
        channels = [_named(figures, channel=name) for name, figures in found.channels.items()]
        answer = {"zone": found.zone, "promise": PROMISE, "today": found.today,
                  "total": found.total, "days": days, "channels": channels}  # fmt: skip
        return Response(self.get_serializer(answer).data)


def _named(figures: Figures, **name: Any) -> Figures:
    vars(figures).update(name)
    return figures
