"""Calendar feeds in the API: one's own addresses for other programs."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.fields import Moment, ScopedRelatedField, StrictSerializer, own_unit
from config.scoped.once import ShownOnce
from orgs.models import Unit
from orgs.reach import Act
from schedules.actions.feed import give_feed, revoke_feed
from schedules.models import CalendarFeed, Schedule


class FeedSerializer(StrictSerializer):
    """An address by which a calendar program reads a unit's runs."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="With all under it; your own if you leave it out.",
    )
    created_at = Moment(read_only=True)
    read_at = Moment(read_only=True, allow_null=True, help_text="When it was read last.")

    class Meta:
        model = CalendarFeed
        fields = ["id", "unit", "shows_details", "created_at", "read_at"]
        validators: list[Any] = []  # of a unit one has one: a new one takes its place


class NewFeedSerializer(FeedSerializer):
    """With its address, which is shown this once."""

    url = serializers.CharField(
        read_only=True, help_text="Whoever knows it may read. Empty when the answer is repeated."
    )

    class Meta(FeedSerializer.Meta):
        fields = [*FeedSerializer.Meta.fields, "url"]


@extend_schema(tags=["calendar"])
class FeedViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """One's own feeds, whatever one's role; making and revoking need a token that may write."""

    queryset = Schedule.objects.all()  # whoever may see these may have a feed of them
    serializer_class = FeedSerializer
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW, "create": Act.USE, "destroy": Act.USE}

    def get_queryset(self) -> QuerySet:
        return CalendarFeed.objects.filter(user=self.request.user.pk)

    @extend_schema(responses={status.HTTP_201_CREATED: NewFeedSerializer})
    def create(self, request: Request) -> Response:
        """Get an address. The one that you had of this unit leads nowhere any more."""
        values = self.values()
        unit = values.get("unit") or own_unit(request.user)
        details = values.get("shows_details", False)
        feed, key = give_feed(unit, by=request.user, shows_details=details)
        kept = self.get_serializer(feed).data | {"url": ""}
        shown = kept | {"url": f"{settings.TEIJI_PUBLIC_URL}/calendar/{key}.ics"}
        return ShownOnce(shown, kept=kept, status=status.HTTP_201_CREATED)

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke it: its address leads nowhere from now on."""
        revoke_feed(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
