"""Moving a unit in the tree."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.fields import ScopedRelatedField, StrictBody
from orgs.api import UnitSerializer, with_parents
from orgs.models import Unit
from orgs.reach import Act
from schedules.actions.move_unit import foresee_move, move_unit


class PlaceSerializer(StrictBody):
    """Where a unit is to stand."""

    parent: Any = ScopedRelatedField(
        queryset=Unit.objects.all(), help_text="Under this one, of the same organisation."
    )


class OutlookSerializer(serializers.Serializer):
    """What would come of a move."""

    barred: Any = serializers.ListField(
        child=serializers.CharField(), help_text="What stands against it; it is refused."
    )
    told: Any = serializers.ListField(
        child=serializers.CharField(),
        help_text="What would change for the unit and those under it.",
    )


@extend_schema(tags=["organisation"])
class UnitMoveViewSet(ActingViewSet):
    """Lets a unit stand elsewhere, with all below it."""

    queryset = Unit.objects.all()
    serializer_class = PlaceSerializer
    acts = {"move": Act.ORGANISE, "foresee": Act.ORGANISE}

    @extend_schema(request=PlaceSerializer, responses=UnitSerializer)
    @action(methods=["post"], detail=True)
    def move(self, request: Request, pk: str) -> Response:
        """Move it under another unit. Only managers of a headquarters may. It is refused, by
        name, where something would be sent by means that are out of reach there."""
        unit = self.get_object()
        moved = move_unit(unit, to=self.values()["parent"], by=request.user)
        shown = with_parents(request.user, Unit.objects.order_by()).get(pk=moved.pk)
        return Response(UnitSerializer(shown, context=self.get_serializer_context()).data)

    @extend_schema(
        parameters=[OpenApiParameter("parent", int, required=True, description="Under this one.")],
        responses=OutlookSerializer,
        filters=False,
    )
    @move.mapping.get
    def foresee(self, request: Request, pk: str) -> Response:
        """What would come of it; nothing is changed."""
        unit = self.get_object()
        asked: Any = PlaceSerializer(
            data={"parent": _number(request.query_params.get("parent", ""))},
            context=self.get_serializer_context(),
        )
        asked.is_valid(raise_exception=True)
        found = foresee_move(unit, to=asked.validated_data["parent"], by=request.user)
        return Response(OutlookSerializer(found).data)


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else text
