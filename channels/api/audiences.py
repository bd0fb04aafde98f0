"""Audiences in the API: their rule or their list, and how many are in them."""

from typing import Any

from django.conf import settings
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.actions.audience import MOST_TYPED, add_audience, change_audience
from channels.api.recipients import TagNames
from channels.models import Account, Audience
from config.scoped.acting import ActingViewSet
from config.scoped.fields import (
    Choice,
    KeptRelatedField,
    ScopedRelatedField,
    StrictSerializer,
    Words,
    own_unit,
)
from config.scoped.filters import IdFilter, YesNoFilter
from orgs.models import Unit
from orgs.reach import Act

LIST_ACTS = ("put_on", "take_off")


class RuleWords(TagNames):
    """Words that a rule asks for, as they stand in its column."""

    def get_attribute(self, instance: Any) -> Any:
        return getattr(instance, str(self.source))

    def to_representation(self, data: Any) -> list[str]:
        return list(data)


class Addresses(serializers.ListField):
    """Addresses of recipients, each once."""

    def __init__(self, **kwargs: Any) -> None:
        child = Words(max_length=200)
        super().__init__(
            child=child, required=False, write_only=True, max_length=MOST_TYPED, **kwargs
        )

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class AudienceSerializer(StrictSerializer):
    """Some of an account's recipients: a fixed list, or all who answer to a rule."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="Whose it is; your own unit if you leave it out.",
    )
    account = KeptRelatedField(queryset=Account.objects.all())
    tags = RuleWords(help_text="Of a rule: who bear one of these, or all (`tag_match`).")
    regions = RuleWords(help_text="Of a rule: who live in one of these.")
    languages = serializers.ListField(
        child=Choice(choices=settings.LANGUAGES),
        required=False,
        max_length=len(settings.LANGUAGES),
        help_text="Of a rule: who read one of these.",
    )
    put_on = Addresses(help_text="Come on the fixed list.")
    take_off = Addresses(help_text="Come off the fixed list.")

    class Meta:
        model = Audience
        fields = [
            "id", "unit", "account", "name", "kind", "tags", "tag_match", "regions", "languages",
            "most", "is_active", *LIST_ACTS,
        ]  # fmt: skip
        extra_kwargs = {"most": {"min_value": 1, "max_value": 2**31 - 1}}
        validators: list[Any] = []  # the act answers, in words for people


class CountSerializer(serializers.Serializer):
    """Who would get a message now."""

    count = serializers.IntegerField()


class AudienceFilter(filters.FilterSet):
    """Narrows the list of audiences."""

    unit = IdFilter(label="Audiences of this unit itself.")
    account = IdFilter(label="Of this account.")
    kind = filters.ChoiceFilter(choices=Audience.Kind.choices)
    is_active = YesNoFilter(label="Only those to which is sent, or only the others.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.", max_length=100)


@extend_schema(tags=["recipients"])
class AudienceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Audiences within reach. None is deleted, for the log refers to it: make it inactive."""

    queryset = Audience.objects.all()
    serializer_class = AudienceSerializer
    filterset_class = AudienceFilter
    orderings = ("name",)
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "count": Act.VIEW,
        "create": Act.CREATE,
        "partial_update": Act.CHANGE,
    }

    @extend_schema(responses={status.HTTP_201_CREATED: AudienceSerializer})
    def create(self, request: Request) -> Response:
        """Add an audience."""
        values, people = self._said()
        values["unit"] = values.get("unit") or own_unit(request.user)
        return self._answer(add_audience(values, by=request.user, **people), 201)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given, put people on the list and take others off."""
        audience = self.get_object()
        values, people = self._said(instance=audience, partial=True)
        return self._answer(change_audience(audience, values, by=request.user, **people))

    @extend_schema(responses=CountSerializer)
    @action(detail=True)
    def count(self, request: Request, pk: str) -> Response:
        """How many would get a message now. Counts to the end: large ones take a moment."""
        return Response({"count": self.get_object().count()})

    def _said(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, list[str]]]:
        values = self.values(**kwargs)
        return values, {name: values.pop(name, []) for name in LIST_ACTS}

    def _answer(self, audience: Audience, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(audience).data, status=code)
