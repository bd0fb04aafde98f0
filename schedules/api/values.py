"""The values of placeholders: those that units keep, and those that hold in a unit."""

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.api import ScopedViewSet
from config.scoped.fields import ScopedRelatedField, StrictSerializer, own_unit
from config.scoped.filters import IdFilter
from orgs.models import Unit
from orgs.reach import Act, within
from schedules.actions.placeholder_value import keep_value, remove_value
from schedules.models import PlaceholderValue
from schedules.shown.values import holding_in


class ValueSerializer(StrictSerializer):
    """What a placeholder stands for in a unit, and in those under it that say nothing else."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="Whose value it is; your own unit’s if you leave it out.",
    )

    class Meta:
        model = PlaceholderValue
        fields = ["id", "unit", "name", "value"]
        validators: list[Any] = []  # the act answers, in words for people


class HoldingSerializer(serializers.ModelSerializer):
    """A value as it holds in a unit, and whose it is."""

    unit = serializers.SerializerMethodField(
        help_text="Whose it is. Null: one above it that is out of your reach."
    )
    unit_name = serializers.CharField(source="unit.name")
    is_own = serializers.SerializerMethodField(help_text="False: from a unit above.")

    class Meta:
        model = PlaceholderValue
        fields = ["name", "value", "unit", "unit_name", "is_own"]
        read_only_fields = fields

    def get_unit(self, row: PlaceholderValue) -> int | None:
        return row.unit_id if row.unit_id in self.context["seen"] else None

    def get_is_own(self, row: PlaceholderValue) -> bool:
        return bool(row.unit_id == self.context["of"].pk)


class HoldingsSerializer(serializers.Serializer):
    """By name."""

    results = HoldingSerializer(many=True)


class ValueFilter(filters.FilterSet):
    """Narrows the list of values."""

    unit = IdFilter(label="Of this unit itself.")
    search = filters.CharFilter(method="containing", label="Part of the name or of the value.")

    def containing(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        return rows.filter(Q(name__icontains=words) | Q(value__icontains=words))


@extend_schema(tags=["templates"])
class ValueViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """The values that units within reach keep."""

    queryset = PlaceholderValue.objects.select_related("unit").order_by("-id")
    serializer_class = ValueSerializer
    filterset_class = ValueFilter
    orderings = ("name",)
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "partial_update": Act.CHANGE,
        "destroy": Act.DELETE,
    }

    @extend_schema(responses={status.HTTP_201_CREATED: ValueSerializer})
    def create(self, request: Request) -> Response:
        """Keep a value. It holds from the next run that is planned."""
        given = self.values()
        given.setdefault("unit", own_unit(request.user))
        row = keep_value(PlaceholderValue(), given, by=request.user)
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. What is planned already stays as it is."""
        row = self.get_object()
        given = self.values(instance=row, partial=True)
        return Response(self.get_serializer(keep_value(row, given, by=request.user)).data)

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it: what holds above its unit holds there again."""
        remove_value(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["templates"])
class UnitValuesViewSet(ScopedViewSet):
    """Units, for the values that hold in them."""

    queryset = Unit.objects.all()
    serializer_class = HoldingsSerializer
    acts = {"held": Act.VIEW}

    @extend_schema(operation_id="units_values", filters=False)
    @action(detail=True, url_path="values")
    def held(self, request: Request, pk: str) -> Response:
        """What placeholders stand for in a unit: its own values, else those of the nearest unit
        above it."""
        unit = self.get_object()
        rows = holding_in(unit)
        owners = Unit.objects.filter(pk__in={row.unit_id for row in rows})
        seen = set(within(request.user, owners).values_list("pk", flat=True))
        context = {"seen": seen, "of": unit}
        return Response(HoldingsSerializer({"results": rows}, context=context).data)
