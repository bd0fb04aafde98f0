"""What channels count: messages by day, and who opened those of a schedule."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers

from channels.models import DayCount
from config.scoped.api import ScopedViewSet
from config.scoped.filters import IdFilter
from config.scoped.paging import Pages
from orgs.reach import Act


class DayCountSerializer(serializers.ModelSerializer):
    """One endpoint of an account on one day, in messages by person."""

    account = serializers.IntegerField(source="account_id")
    zone = serializers.CharField(help_text="In which the day begins and ends.")
    fewer = serializers.IntegerField(
        allow_null=True, help_text="How many less the channel says than were handed over."
    )

    class Meta:
        model = DayCount
        fields = ["id", "account", "day", "zone", "endpoint", "handed", "told", "fewer", "error"]


class DayCountFilter(filters.FilterSet):
    """Narrows the counts of days."""

    account = IdFilter(field_name="account_id", label="Counts of this account.")


class PagesByDay(Pages):
    """The latest day first."""

    ordering = ("-day", "-id")


@extend_schema(tags=["quota"])
class DayCountViewSet(mixins.ListModelMixin, ScopedViewSet):
    """What channels say they have delivered on a day, beside what was handed over."""

    queryset = DayCount.objects.select_related("account")
    serializer_class = DayCountSerializer
    filterset_class = DayCountFilter
    pagination_class = PagesByDay
    acts = {"list": Act.VIEW}


class CountedSerializer(serializers.Serializer):
    """What an account's channel told of a label in one of its months."""

    account = serializers.IntegerField(source="account.pk")
    channel = serializers.CharField(source="account.kind")
    label: Any = serializers.CharField(source="label.name", help_text="The name at the channel.")
    zone = serializers.CharField(help_text="In which the days begin and end.")
    first_day = serializers.DateField(source="label.started_on")
    counted_until = serializers.DateField(
        source="label.counted_until", allow_null=True, help_text="Null: nothing was told yet."
    )
    handed = serializers.IntegerField(help_text="Messages handed over in these days, by person.")
    opened = serializers.IntegerField(
        source="label.opened", allow_null=True, help_text="People. Null: too few to be told."
    )
    clicked = serializers.IntegerField(source="label.clicked", allow_null=True)
    error = serializers.CharField(
        source="label.error", help_text="Why the last question to the channel failed."
    )


class AllCountedSerializer(serializers.Serializer):
    """The latest months, the newest first. Empty: no channel counts it."""

    results = CountedSerializer(many=True)
