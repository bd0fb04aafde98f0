"""The quotas of accounts, and what a schedule costs."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import QuotaReading
from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from config.scoped.paging import Pages
from orgs.clock import database_now, month_around
from orgs.models import Unit
from orgs.reach import Act
from schedules.bookings.quota import of_units
from schedules.shown.cost import Line
from schedules.shown.quota import Shown, quotas


class ComingSerializer(serializers.Serializer):
    """What one schedule adds to the month."""

    schedule = serializers.IntegerField(source="schedule.pk")
    title = serializers.CharField(source="schedule.title")
    runs = serializers.IntegerField()
    each = serializers.IntegerField(help_text="Billed messages of one run.")
    messages = serializers.IntegerField()


class QuotaSerializer(serializers.Serializer):
    """An account's month, in messages as its channel bills them."""

    account = serializers.IntegerField(source="reading.account_id")
    name = serializers.CharField(source="reading.account.name")
    channel = serializers.CharField(source="reading.account.kind")
    limit = serializers.IntegerField(
        source="reading.limit", allow_null=True, help_text="Null: as many as it likes."
    )
    used = serializers.IntegerField(
        help_text="As the channel told, with what it accepted since then."
    )
    reserved = serializers.IntegerField(help_text="Planned, or on its way.")
    left = serializers.IntegerField(allow_null=True)
    coming = serializers.IntegerField(
        source="forecast.coming", help_text="What schedules add until the month ends."
    )
    coming_is_least = serializers.BooleanField(
        source="forecast.is_least", help_text="There is more to come than was counted."
    )
    runs_out_at = Moment(
        source="forecast.runs_out_at",
        allow_null=True,
        help_text="The first run that will not fit. Null: all of this month's do.",
    )
    month_ends_at = Moment(source="forecast.ends_at")
    read_at = Moment(source="reading.read_at", allow_null=True, help_text="Null: not yet.")
    error = serializers.CharField(
        source="reading.error", help_text="Why the last question to the channel failed."
    )
    evidence = ComingSerializer(
        source="items", many=True, help_text="The schedules within your reach that add most."
    )


class CostSerializer(serializers.Serializer):
    """What one run costs of an account's month, or of a unit's budget."""

    of = serializers.SerializerMethodField(help_text="account or budget.")
    name = serializers.CharField(help_text="Empty: a budget above your unit, which does not fit.")
    billed = serializers.IntegerField(help_text="Billed messages of one run.")
    requests = serializers.IntegerField(source="cost.requests", default=None, allow_null=True)
    people = serializers.IntegerField(source="cost.people", default=None, allow_null=True)
    is_estimate = serializers.BooleanField(source="cost.is_estimate", default=False)
    is_least = serializers.BooleanField(source="cost.is_least", default=False)
    saved = serializers.IntegerField(
        source="cost.saved", default=None, allow_null=True, help_text="By packing."
    )
    later_month = serializers.DateField(
        format="%Y-%m",
        allow_null=True,
        help_text="In which it leaves, where that is not the present one: 2027-04.",
    )
    runs = serializers.IntegerField(help_text="Runs that are still to come in that month.")
    runs_are_least = serializers.BooleanField(help_text="There are more than were counted.")
    left = serializers.SerializerMethodField(help_text="Before it. Null: unlimited, or not known.")
    short = serializers.SerializerMethodField(help_text="How many messages one run lacks.")

    def get_of(self, line: Line) -> str:
        return "account" if line.cost else "budget"

    def get_left(self, line: Line) -> int | None:
        return None if line.is_hidden else line.left

    def get_short(self, line: Line) -> int | None:
        return None if line.is_hidden else line.short


class CostsSerializer(serializers.Serializer):
    """Empty: nothing is billed."""

    results = CostSerializer(many=True)


class PagesByAccount(Pages):
    """A reading has no id but its account's."""

    ordering = "account_id"


@extend_schema(tags=["quota"])
class QuotaViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """The months of accounts within reach whose channel bills messages. By the account's id."""

    queryset = QuotaReading.objects.select_related("account")
    serializer_class = QuotaSerializer
    pagination_class = PagesByAccount
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Used, reserved, left, and the day on which it runs out."""
        page = self.paginate_queryset(self.get_queryset())
        assert page is not None
        return self.get_paginated_response(
            self.get_serializer(_shown(page, request.user), many=True).data
        )

    def retrieve(self, request: Request, pk: str) -> Response:
        """One account's."""
        return Response(self.get_serializer(_shown([self.get_object()], request.user)[0]).data)


class BudgetSerializer(serializers.Serializer):
    """A unit's month with all under it, in messages as channels bill them."""

    unit = serializers.IntegerField()
    limit = serializers.IntegerField(
        allow_null=True,
        help_text="Null: it has none. The headquarters sets it: `monthly_budget` of the unit.",
    )
    used = serializers.IntegerField(help_text="Those that a channel has accepted.")
    reserved = serializers.IntegerField(help_text="Planned, or on their way.")
    left = serializers.IntegerField(allow_null=True)
    month_ends_at = Moment(help_text="By the unit's own clock.")


@extend_schema(tags=["quota"])
class BudgetViewSet(ScopedViewSet):
    """Units, for their budgets."""

    queryset = Unit.objects.all()
    serializer_class = BudgetSerializer
    acts = {"budget": Act.VIEW}

    @extend_schema(operation_id="units_budget", filters=False)
    @action(detail=True)
    def budget(self, request: Request, pk: str) -> Response:
        """What a unit and all under it have spent of the present month."""
        unit, now = self.get_object(), database_now()
        spent, limit = of_units([unit], now, now)[unit.path], unit.monthly_budget
        told = {
            "unit": unit.pk,
            "limit": limit,
            "used": spent.accepted,
            "reserved": spent.reserved,
            "left": None if limit is None else max(limit - spent.total, 0),
            "month_ends_at": month_around(now, unit.zone).end,
        }
        return Response(self.get_serializer(told).data)


def _shown(readings: Any, user: Any) -> Sequence[Shown]:
    return quotas(readings, by=user, now=database_now())
