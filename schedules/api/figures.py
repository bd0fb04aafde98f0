"""The figures of the start page in the API: what went, by day, hour and sort."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.api import ScopedViewSet
from orgs.clock import database_now
from orgs.reach import Act
from schedules.models import Delivery
from schedules.outcomes.counts import Counts
from schedules.shown.cards import COUNTED, numbers_of
from schedules.shown.figures import Figures

ONE_DAY = timedelta(days=1)
SORTS = {"by_channel": "channel", "by_kind": "kind", "by_strategy": "strategy"}


class CountsSerializer(serializers.Serializer):
    """What deliveries came to."""

    sent = serializers.IntegerField(help_text="The channel accepted them.")
    failed = serializers.IntegerField()
    unconfirmed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    success = serializers.FloatField(
        allow_null=True, help_text="Of what was tried, the share that was sent. Null: none was."
    )


class StatsSerializer(serializers.Serializer):
    """What is due, went, failed, and waits for a person."""

    zone = serializers.CharField(help_text="In which the days begin and end: your unit’s.")
    due_today = serializers.IntegerField(help_text="Schedules that are still due today.")
    not_confirmed = serializers.IntegerField(help_text="What waits for a decision.")
    counted_up_to = serializers.IntegerField(help_text="So many of these two, and no more.")
    today = CountsSerializer()
    last_7_days = CountsSerializer(help_text="Today included.")
    last_28_days = CountsSerializer()
    the_28_days_before = CountsSerializer()


class DaySerializer(CountsSerializer):
    """Of one day."""

    day = serializers.DateField()


class HourSerializer(serializers.Serializer):
    """What was sent in one hour of a weekday."""

    weekday = serializers.IntegerField(help_text="0 is Monday.")
    hour = serializers.IntegerField()
    sent = serializers.IntegerField()


class NamedCountsSerializer(CountsSerializer):
    """Of one sort."""

    name = serializers.CharField(help_text="As the log has it; empty: it was not noted.")


class AnalyticsSerializer(serializers.Serializer):
    """The last 28 days, today included."""

    zone = serializers.CharField(help_text="Of the days and hours: your unit’s.")
    days = DaySerializer(many=True, help_text="All of them, the first one first.")
    days_before = DaySerializer(many=True, help_text="The 28 days before these.")
    hours = HourSerializer(many=True, help_text="Those in which something was sent.")
    by_channel = NamedCountsSerializer(many=True)
    by_kind = NamedCountsSerializer(many=True, help_text="By the timing of the schedule.")
    by_strategy = NamedCountsSerializer(many=True)


@extend_schema(tags=["figures"])
class FiguresViewSet(ScopedViewSet):
    """Figures of all within your reach: those of the start page."""

    queryset = Delivery.objects.all()
    serializer_class = StatsSerializer
    acts = {"stats": Act.VIEW, "analytics": Act.VIEW}

    @extend_schema(operation_id="stats", filters=False)
    def stats(self, request: Request) -> Response:
        """What is due today, what went, failed, and waits for a person."""
        now = database_now()
        figures = Figures(request.user, now)
        found = numbers_of(request.user, figures, now)
        answer = {
            "zone": figures.zone, "due_today": found.due, "not_confirmed": found.unsure,
            "counted_up_to": COUNTED, "today": found.today, "last_7_days": found.week,
            "last_28_days": figures.total, "the_28_days_before": figures.before,
        }  # fmt: skip
        return Response(StatsSerializer(answer).data)

    @extend_schema(operation_id="analytics", filters=False, responses=AnalyticsSerializer)
    def analytics(self, request: Request) -> Response:
        """What went, by day, by hour of the week, and by channel, kind and strategy."""
        figures = Figures(request.user, database_now())
        days = figures.days
        hours = [{"weekday": weekday, "hour": hour, "sent": sent}
                 for (weekday, hour), sent in sorted(figures.sent_by_hour().items())]  # fmt: skip
        first = days[0].day - (days[-1].day - days[0].day) - ONE_DAY
        answer: dict[str, Any] = {
            "zone": figures.zone,
            "days": [_named(one.counts, day=one.day) for one in days],
            "days_before": [_named(one.before, day=first + n * ONE_DAY)
                            for n, one in enumerate(days)],
            "hours": hours,
        }  # fmt: skip
        for name, part in SORTS.items():
            found = sorted(figures.by(part).items(), key=lambda item: (-item[1].sent, item[0]))
            answer[name] = [_named(counts, name=key) for key, counts in found]
        return Response(AnalyticsSerializer(answer).data)


def _named(counts: Counts, **name: Any) -> dict[str, Any]:
    return {**vars(counts), "success": counts.success, **name}
