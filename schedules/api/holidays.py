"""Corrections of the public holidays in the API: they hold for everybody."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.fields import StrictSerializer
from config.scoped.filters import YesNoFilter
from orgs.reach import Act
from schedules.actions.holiday import correct, take_correction_back
from schedules.models import HolidayException


class HolidaySerializer(StrictSerializer):
    """A day that is a holiday though the calendar says no, or the other way round."""

    class Meta:
        model = HolidayException
        fields = ["id", "country", "date", "is_holiday", "note"]
        extra_kwargs = {
            "is_holiday": {"help_text": "False: it is none, whatever the calendar says."}
        }
        validators: list[Any] = []  # the act answers, in words for people


class HolidayFilter(filters.FilterSet):
    """Narrows the list of corrections."""

    country = filters.CharFilter(label="Of this country: two letters, like KR.")
    is_holiday = YesNoFilter(label="Only days that are one after all, or only those that are none.")
    search = filters.CharFilter("note", "icontains", label="Part of the note.")


@extend_schema(tags=["holidays"])
class HolidayViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Corrections of the public holidays. Needs a manager of the headquarters."""

    queryset = HolidayException.objects.order_by("-id")
    serializer_class = HolidaySerializer
    filterset_class = HolidayFilter
    orderings = ("date",)
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "partial_update": Act.CHANGE,
        "destroy": Act.DELETE,
    }

    @extend_schema(responses={status.HTTP_201_CREATED: HolidaySerializer})
    def create(self, request: Request) -> Response:
        """Correct a day. It holds for what is planned from now on."""
        row = correct(HolidayException(), self.values(), by=request.user)
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. What is planned already stays as it is."""
        row = self.get_object()
        given = self.values(instance=row, partial=True)
        return Response(self.get_serializer(correct(row, given, by=request.user)).data)

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it: the calendar holds again."""
        take_correction_back(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
