"""Saved filters in the API: one's own, for the lists of the back office."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.fields import StrictSerializer
from orgs.reach import Act
from schedules.actions.saved_filter import change_filter, keep_filter, remove_filter
from schedules.models import Delivery, SavedFilter, Schedule
from schedules.models.saved_filter import kept_of

LISTS: dict[str, Any] = {SavedFilter.Page.SCHEDULES: Schedule, SavedFilter.Page.LOG: Delivery}


class SavedFilterSerializer(StrictSerializer):
    """A name for what a list is narrowed to."""

    class Meta:
        model = SavedFilter
        fields = ["id", "page", "name", "query", "is_default"]
        extra_kwargs = {
            "page": {"help_text": "Which list; it stays as it was made."},
            "query": {
                "help_text": "As it stands in the list’s address: state__exact=paused&q=sale."
            },
        }
        validators: list[Any] = []  # the act answers, in words for people

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        stored: Any = self.instance
        page = said.get("page") or stored.page
        if stored and page != stored.page:
            raise serializers.ValidationError({"page": [_("It stays as it was made.")]})
        if "query" in said:
            said["query"] = _understood(said["query"], page)
        return said


def _understood(query: str, page: str) -> str:
    """The query, if its list knows every word of it: else it would not open. Raises
    ValidationError."""
    own: Any = admin.site.get_model_admin(LISTS[page])
    known = own.known(query)
    unknown = QueryDict(kept_of(QueryDict(query))).keys() - QueryDict(known).keys()
    if unknown:
        words = _("The list has no such filter: %(names)s")
        told = words % {"names": ", ".join(sorted(unknown))}
        raise serializers.ValidationError({"query": [told]})
    return str(known)


class SavedFilterFilter(filters.FilterSet):
    """Narrows one's filters."""

    page = filters.ChoiceFilter(choices=SavedFilter.Page.choices, label="Of this list.")


@extend_schema(tags=["filters"])
class SavedFilterViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """One's own, whatever one's role; keeping and removing need a token that may write."""

    queryset = Schedule.objects.all()  # whoever may see these may keep filters of them
    serializer_class = SavedFilterSerializer
    filterset_class = SavedFilterFilter
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.USE,
        "partial_update": Act.USE,
        "destroy": Act.USE,
    }

    def get_queryset(self) -> QuerySet:
        return SavedFilter.objects.filter(user=self.request.user.pk)

    @extend_schema(responses={status.HTTP_201_CREATED: SavedFilterSerializer})
    def create(self, request: Request) -> Response:
        """Keep one, in place of what had its name before."""
        given = self.values()
        row = keep_filter(given.pop("page"), given, by=request.user)
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given: rename it, or let it open its list, and no other."""
        saved = self.get_object()
        given = self.values(instance=saved, partial=True)
        return Response(self.get_serializer(change_filter(saved, given, by=request.user)).data)

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it."""
        remove_filter(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
