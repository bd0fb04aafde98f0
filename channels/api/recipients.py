"""Recipients in the API: one by one, and up to a thousand in one request."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.actions.recipient import add_person, change_person, forget_person
from channels.models import Account, Audience, Membership, Recipient
from channels.models.recipient import NAME_LENGTH, words_in
from config.scoped.acting import ActingViewSet
from config.scoped.fields import (
    KeptRelatedField,
    Moment,
    ScopedRelatedField,
    StrictSerializer,
    Words,
    YesNo,
    own_unit,
)
from config.scoped.filters import IdFilter, YesNoFilter
from orgs.models import Unit
from orgs.reach import Act, within

MOST_TAGS = 100
MOST_RAW = 200  # characters of one before its blanks are put right


class TagNames(serializers.ListField):
    """Tags by name; one with commas in it is several."""

    def __init__(self, **kwargs: Any) -> None:
        child = Words(max_length=MOST_RAW, allow_blank=True)
        super().__init__(child=child, required=False, max_length=MOST_TAGS, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        return instance.tags

    def to_representation(self, data: Any) -> list[str]:
        return sorted(tag.name for tag in data.all())

    def to_internal_value(self, data: Any) -> list[str]:
        names = words_in(", ".join(super().to_internal_value(data)))
        if any(len(name) > NAME_LENGTH for name in names):
            raise serializers.ValidationError(_("At most 50 characters each."))
        return names


@extend_schema_field(OpenApiTypes.BOOL)
class OptedOut(YesNo):
    """Whether somebody wants no more messages."""

    def get_attribute(self, instance: Any) -> Any:
        return instance

    def to_representation(self, value: Any) -> bool:
        return value.opted_out_at is not None


class RecipientSerializer(StrictSerializer):
    """A person, by the id that the channel of this account gave them. Account and address are
    given once."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="Whose person it is; your own unit if you leave it out.",
    )
    account = KeptRelatedField(queryset=Account.objects.all())
    tags = TagNames()
    has_opted_out = OptedOut(
        required=False, help_text="Nothing is sent to who has; the first time counts."
    )
    opted_out_at = Moment(read_only=True, allow_null=True)

    class Meta:
        model = Recipient
        fields = [
            "id", "unit", "account", "address", "name", "region", "language", "tags",
            "has_opted_out", "opted_out_at",
        ]  # fmt: skip
        validators: list[Any] = []  # the act answers, in words for people


class RecipientFilter(filters.FilterSet):
    """Narrows the list of recipients."""

    unit = IdFilter(label="People of this unit itself.")
    account = IdFilter(label="Of this account.")
    audience = IdFilter(method="on_list", label="On the fixed list of this audience.")
    address = filters.CharFilter(label="With this address.", max_length=200)
    region = filters.CharFilter(label="Of this region.", max_length=NAME_LENGTH)
    language = filters.CharFilter(label="Who read this language.", max_length=10)
    tag = filters.CharFilter(method="bearing", label="Who bear this tag.", max_length=NAME_LENGTH)
    has_opted_out = YesNoFilter(method="opted_out", label="Who want no more, or the others.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.", max_length=100)

    def on_list(self, rows: QuerySet, _name: str, value: int) -> QuerySet:
        lists = within(self.request.user, Audience.objects.filter(pk=value))
        return rows.filter(pk__in=Membership.objects.filter(audience__in=lists).values("recipient"))

    def bearing(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        return rows.filter(taggings__tag__name=value).distinct()

    def opted_out(self, rows: QuerySet, _name: str, value: bool) -> QuerySet:
        return rows.filter(opted_out_at__isnull=not value)


@extend_schema(tags=["recipients"])
class RecipientViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """People within reach who are written to themselves."""

    queryset = Recipient.objects.prefetch_related("tags")
    serializer_class = RecipientSerializer
    filterset_class = RecipientFilter
    orderings = ("address",)
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "partial_update": Act.CHANGE,
        "opt_out": Act.CHANGE,
        "destroy": Act.DELETE,
    }

    @extend_schema(responses={status.HTTP_201_CREATED: RecipientSerializer})
    def create(self, request: Request) -> Response:
        """Add a person."""
        values = self.values()
        values["unit"] = values.get("unit") or own_unit(request.user)
        return self._answer(add_person(values, by=request.user), status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given."""
        person = self.get_object()
        values = self.values(instance=person, partial=True)
        return self._answer(change_person(person, values, by=request.user))

    @extend_schema(request=None, responses=RecipientSerializer)
    @action(methods=["post"], detail=True, url_path="opt-out")
    def opt_out(self, request: Request, pk: str) -> Response:
        """Send them nothing more, also of what is planned."""
        person = self.get_object()
        return self._answer(change_person(person, {"has_opted_out": True}, by=request.user))

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Forget a person."""
        forget_person(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _answer(self, person: Recipient, code: int = status.HTTP_200_OK) -> Response:
        row = self.get_queryset().get(pk=person.pk)
        return Response(self.get_serializer(row).data, status=code)
