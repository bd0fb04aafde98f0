"""Rooms in the API."""

from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers

from channels.models import Account, Room
from channels.promises import Promise
from config.scoped.api import ScopedViewSet
from config.scoped.fields import (
    KeptRelatedField,
    ScopedRelatedField,
    StrictSerializer,
    own_unit,
)
from config.scoped.filters import IdFilter, YesNoFilter
from logs import history
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act


class RoomSerializer(StrictSerializer):
    """A place to send to. Of its account it shows the id and the channel, nothing else."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="To which it belongs; your own if you leave it out.",
    )
    account = KeptRelatedField(
        queryset=Account.objects.all(),
        help_text="The account through which it is reached: one of yours, or a shared one.",
    )
    channel = serializers.CharField(source="account.kind", read_only=True)

    promise = serializers.ChoiceField(
        choices=Promise.choices,
        source="account.promise",
        read_only=True,
        help_text="How often a message arrives of which the channel's answer was lost.",
    )

    class Meta:
        model = Room
        fields = [
            "id", "unit", "account", "channel", "promise", "name", "address", "kind", "language",
            "is_active", "min_interval_seconds", "daily_cap", "quiet_from", "quiet_until",
            "never_quiet",
        ]  # fmt: skip
        validators: list[Any] = []  # the model's own constraint answers, in words for people

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if not self.instance and "unit" not in values:
            values["unit"] = own_unit(self.context["request"].user)
        candidate = copy(self.instance) if self.instance else Room()
        for name, value in values.items():
            setattr(candidate, name, value)
        try:
            candidate.full_clean()
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return values

    def update(self, room: Room, values: dict[str, Any]) -> Room:
        """Writes what is given alone: what somebody else changed meanwhile stays."""
        for name, value in values.items():
            setattr(room, name, value)
        room.save(update_fields=list(values))
        return room


class RoomFilter(filters.FilterSet):
    """Narrows the list of rooms."""

    unit = IdFilter(label="Rooms of this unit itself.")
    kind = filters.ChoiceFilter(choices=Room.Kind.choices)
    is_active = YesNoFilter(label="Only rooms that are sent to, or only the others.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.")


@extend_schema(tags=["rooms"])
class RoomViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    ScopedViewSet,
):
    """Rooms within reach. None is deleted, for its log refers to it: make it inactive."""

    queryset = Room.objects.select_related("account")
    serializer_class = RoomSerializer
    filterset_class = RoomFilter
    orderings = ("name",)
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "update": Act.CHANGE,
        "partial_update": Act.CHANGE,
    }

    def perform_create(self, serializer: Any) -> None:
        self._save(serializer, "created", before={})

    def perform_update(self, serializer: Any) -> None:
        self._save(serializer, "updated", before=facts(serializer.instance))

    def _save(self, serializer: Any, verb: str, *, before: dict[str, Any]) -> None:
        try:
            with transaction.atomic():
                room = serializer.save()
                after = facts(room)
                history.record(
                    verb,
                    room,
                    by=self.request.user,
                    now=database_now(),
                    unit_path=room.unit.path,
                    changes={
                        name: [before.get(name), after[name]]
                        for name in after
                        if before.get(name) != after[name]
                    },
                )
        except IntegrityError:
            # The same address was added between the check and the save: the check says so now.
            serializer.validate(serializer.validated_data)
            raise


def facts(room: Room) -> dict[str, Any]:
    """What the history keeps of a room."""
    return {
        "unit": room.unit_id,
        "account": room.account_id,
        "name": room.name,
        "address": room.address,
        "kind": room.kind,
        "language": room.language,
        "is_active": room.is_active,
        "min_interval_seconds": room.min_interval_seconds,
        "daily_cap": room.daily_cap,
        "quiet_from": room.quiet_from and room.quiet_from.isoformat(),
        "quiet_until": room.quiet_until and room.quiet_until.isoformat(),
        "never_quiet": room.never_quiet,
    }
