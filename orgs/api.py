"""Units, members and deputies in the API. All writing goes through orgs.actions."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Length, Substr
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.fields import (
    Choice,
    Moment,
    ScopedRelatedField,
    StrictSerializer,
    Words,
    YesNo,
)
from config.scoped.filters import IdFilter, YesNoFilter
from orgs.actions.deputies import name_deputy, take_back
from orgs.actions.members import change_member, join, remove
from orgs.actions.units import change_unit, plant
from orgs.models import Deputy, Member, Unit
from orgs.reach import STEP, Act, Role, within

ROLES = {role.name.lower(): role for role in Role}


class UnitSerializer(StrictSerializer):
    """A node of the organisation. Its kind is given once; its place is changed by a move."""

    parent: Any = ScopedRelatedField(
        queryset=Unit.objects.all(),
        allow_null=True,
        required=False,
        help_text="Under which unit it stands; null for a top, or where it is out of your reach.",
    )

    class Meta:
        model = Unit
        fields = [
            "id", "parent", "kind", "code", "name", "zone", "language", "is_active",
            "monthly_budget", "quiet_from", "quiet_until", "never_quiet", "approval",
        ]  # fmt: skip
        extra_kwargs = {"monthly_budget": {"max_value": 2**31 - 1}}
        validators: list[Any] = []  # the act answers, in words for people

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if self.instance:
            for name in ("parent", "kind"):
                given = values.pop(name, None)
                if given is not None and given != self._now(name):
                    words = _("A unit is moved by an act of its own.") if name == "parent" else None
                    words = words or _("It stays as it was made.")
                    raise serializers.ValidationError({name: [words]})
        return values

    def _now(self, name: str) -> Any:
        unit: Any = self.instance
        return Unit.objects.get_parent(unit) if name == "parent" else unit.kind

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        return shown | {"parent": instance.parent_id}


def with_parents(user: Any, units: QuerySet) -> QuerySet:
    """These units, each with the id of the one above it, as far as the user reaches that."""
    above = Substr(OuterRef("path"), 1, Length(OuterRef("path")) - STEP)
    parents = within(user, Unit.objects.order_by()).filter(path=above)
    return units.annotate(parent_id=Subquery(parents.values("pk")[:1]))


class UnitFilter(filters.FilterSet):
    """Narrows the list of units."""

    kind = filters.ChoiceFilter(choices=Unit.Kind.choices)
    code = filters.CharFilter("code", label="Of this code.")
    is_active = YesNoFilter(label="Only those that are active, or only the others.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.")


@extend_schema(tags=["organisation"])
class UnitViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Units within reach. None is deleted, for the log refers to it: make it inactive."""

    queryset = Unit.objects.order_by("id")
    serializer_class = UnitSerializer
    filterset_class = UnitFilter
    orderings = ("name", "code")
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.ORGANISE,
        "partial_update": Act.ORGANISE,
    }

    def get_queryset(self) -> QuerySet:
        return with_parents(self.request.user, super().get_queryset())

    @extend_schema(responses={status.HTTP_201_CREATED: UnitSerializer})
    def create(self, request: Request) -> Response:
        """Add a unit under another. Only members of a headquarters may."""
        values = self.values()
        unit = plant(values, by=request.user, parent=values.pop("parent", None))
        return self._answer(unit, status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given."""
        unit = self.get_object()
        values = self.values(instance=unit, partial=True)
        return self._answer(change_unit(unit, values, by=request.user), status.HTTP_200_OK)

    def _answer(self, unit: Unit, code: int) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=unit.pk)).data, status=code)


class RoleField(Choice):
    """A role by its name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=list(ROLES), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return ROLES[super().to_internal_value(data)]

    def to_representation(self, value: Any) -> str:
        return Role(value).name.lower()


class MemberSerializer(StrictSerializer):
    """A person in a unit with a role."""

    unit = ScopedRelatedField(queryset=Unit.objects.all())
    role = RoleField(help_text="Each may do all that the one before it may.")
    username = Words(source="user.username", max_length=150)
    first_name = Words(source="user.first_name", max_length=150, required=False, allow_blank=True)
    email = Words(source="user.email", max_length=254, required=False, allow_blank=True)
    is_active = YesNo(
        source="user.is_active", required=False, help_text="Who is not, cannot sign in."
    )
    last_login = Moment(source="user.last_login", read_only=True, allow_null=True)

    class Meta:
        model = Member
        fields = [
            "id", "unit", "role", "username", "first_name", "email", "is_active", "last_login",
        ]  # fmt: skip


class MemberFilter(filters.FilterSet):
    """Narrows the list of members."""

    unit = IdFilter(label="Members of this unit itself.")
    role = filters.ChoiceFilter(
        method="with_role", choices=[(name, name) for name in ROLES], label="With this role."
    )
    is_active = YesNoFilter("user__is_active", label="Only who can sign in, or only the others.")
    search = filters.CharFilter("user__username", "icontains", label="Part of the user name.")

    def with_role(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        return rows.filter(role=ROLES[value])


@extend_schema(tags=["organisation"])
class MemberViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """People within reach. How they sign in is theirs: no password is set here."""

    queryset = Member.objects.select_related("user", "unit").order_by("id")
    serializer_class = MemberSerializer
    filterset_class = MemberFilter
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.ORGANISE,
        "partial_update": Act.ORGANISE,
        "destroy": Act.ORGANISE,
    }

    @extend_schema(responses={status.HTTP_201_CREATED: MemberSerializer})
    def create(self, request: Request) -> Response:
        """Let somebody join. They set their password by mail ("Forgot your password?")."""
        values = _flat(self.values())
        member = join(values, by=request.user, unit=values.pop("unit"))
        return Response(self.get_serializer(member).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. Nobody grants above themselves; one manager of a top stays."""
        member = self.get_object()
        values = _flat(self.values(instance=member, partial=True))
        return Response(self.get_serializer(change_member(member, values, by=request.user)).data)

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a person, who can then not sign in any more."""
        remove(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeputySerializer(StrictSerializer):
    """Somebody who answers approvals for a unit in some days, of its own clocks."""

    unit = ScopedRelatedField(queryset=Unit.objects.all())
    member = ScopedRelatedField(
        queryset=Member.objects.all(), help_text="Of that unit, or of one above it."
    )
    first_day = serializers.DateField()
    last_day = serializers.DateField(help_text="To its end.")
    named_by: Any = serializers.StringRelatedField(read_only=True, allow_null=True)

    class Meta:
        model = Deputy
        fields = ["id", "unit", "member", "first_day", "last_day", "named_by"]


@extend_schema(tags=["organisation"])
class DeputyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Who stands in for the approvers of units within reach."""

    queryset = Deputy.objects.select_related("unit", "named_by").order_by("id")
    serializer_class = DeputySerializer
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.ORGANISE,
        "destroy": Act.ORGANISE,
    }

    @extend_schema(responses={status.HTTP_201_CREATED: DeputySerializer})
    def create(self, request: Request) -> Response:
        """Name one. Approvers of the unit, or above, may."""
        given = self.values()
        deputy = name_deputy(
            given["member"],
            of=given["unit"],
            first=given["first_day"],
            last=given["last_day"],
            by=request.user,
        )
        return Response(self.get_serializer(deputy).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """From now on they answer nothing for it any more."""
        take_back(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    return values | values.pop("user", {})
