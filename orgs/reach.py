"""Who may do what: the only file that decides it.

A member reaches the member's own unit and everything under it. Each model names, in its
attribute `reach`, the path by which a row belongs to a unit and the least role for each act.
Of what belongs to no unit but concerns all, only members of a top unit see anything.
A model without that attribute reaches nobody, and a user without a membership reaches nothing.
A deputy answers approvals as an approver would, in those units of their reach for which they stand
in at the moment.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from orgs.clock import database_now

STEP = 4  # characters of a unit's path for each level, as treebeard writes them

M = TypeVar("M", bound=models.Model)


class Role(models.IntegerChoices):
    """Each role may do all that a lower one may."""

    VIEWER = 10, _("viewer")
    OPERATOR = 20, _("operator")
    APPROVER = 30, _("approver")
    MANAGER = 40, _("manager")


class Act(models.TextChoices):
    """What can be done to a row."""

    VIEW = "view"
    USE = "use"  # refer to the row from one's own: an account for a room
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    RUN = "run"
    APPROVE = "approve"
    ORGANISE = "organise"  # change units, and who belongs to them and may what


class Why(StrEnum):
    """What decides that somebody may do something, or may not."""

    EVERYTHING = "everything"  # may do everything everywhere
    ROLE = "role"
    DEPUTY = "deputy"
    SHARED = "shared"  # by a unit above
    INACTIVE = "inactive"  # the person
    NO_UNIT = "no_unit"
    STOPPED = "stopped"  # their unit, or one above it, is inactive
    GLOBAL = "global"  # the model has no reach
    NOT_TOP = "not_top"  # only members of a headquarters may
    TOO_LOW = "too_low"  # the role
    ELSEWHERE = "elsewhere"  # in another part of the tree


GRANTS = {Why.EVERYTHING, Why.ROLE, Why.DEPUTY, Why.SHARED}


@dataclass(frozen=True)
class Decision:
    """Whether somebody may, and what decides it: the path of the unit by which they may, or the
    least role that is needed."""

    why: Why
    place: str = ""
    least: int = 0

    @property
    def may(self) -> bool:
        return self.why in GRANTS


@dataclass(frozen=True)
class Belongs:
    """How the rows of a model belong to a unit, and who may do what to them.

    `path` leads from the model to a unit's path. `view` and `write` are the least roles;
    `top` says that only the members of a top unit (a headquarters) may write. `shared` names
    a flag with which a row may be used, though not seen, by the units under its own.
    """

    path: str
    view: Role = Role.VIEWER
    write: Role = Role.OPERATOR
    top: bool = False
    shared: str = ""

    @property
    def is_copy(self) -> bool:
        """Whether the rows hold the path itself, by value, in a column of their own."""
        return "__" not in self.path

    def least_role(self, act: Act) -> Role:
        if act in (Act.VIEW, Act.USE):
            return self.view
        return max(self.write, Role.APPROVER) if act == Act.APPROVE else self.write

    def needs_top(self, act: Act) -> bool:
        return self.top and act not in (Act.VIEW, Act.USE)


@dataclass(frozen=True)
class OfAll:
    """Of a model whose rows belong to no unit and concern every one: only members of a top unit
    with this role see them, or write them."""

    least: Role = Role.MANAGER
    is_copy = False

    def least_role(self, act: Act) -> Role:
        return self.least

    def needs_top(self, act: Act) -> bool:
        return True


Rule = Belongs | OfAll

# What a token with a scope may do, of what its user may.
SCOPES: dict[str, frozenset[Act]] = {
    "read": frozenset({Act.VIEW}),
    # Who may grant roles, or say where approval is needed, could let themselves do all.
    "write": frozenset(set(Act) - {Act.APPROVE, Act.ORGANISE}),
    "approve": frozenset({Act.VIEW, Act.APPROVE}),
    "organisation": frozenset({Act.VIEW, Act.ORGANISE}),
}


def acts_of(scopes: list[str]) -> set[Act]:
    """The acts that a token's scopes allow; an unknown scope allows none."""
    return {act for scope in scopes for act in SCOPES.get(scope, frozenset())}


def member_of(user: Any) -> Any | None:
    """The user's membership, or None when they or a unit above them are inactive.

    Asked once for each loaded user, that is once for each request.
    """
    if "_member" not in user.__dict__:
        user.__dict__["_member"], user.__dict__["_standing"] = _find_member(user)
    return user.__dict__["_member"]


def within(user: Any, queryset: QuerySet[M], act: Act = Act.VIEW) -> QuerySet[M]:
    """The rows of `queryset` to which `user` may do `act`."""
    if user.is_superuser and user.is_active:
        return queryset
    rule: Rule | None = getattr(queryset.model, "reach", None)
    places = _grant(user, rule, act).places
    if rule is None or not places:
        return queryset.none()
    if isinstance(rule, OfAll):
        return queryset
    condition = Q()
    for path in places:
        condition |= Q(**{f"{rule.path}__startswith": path})
    if act == Act.USE and rule.shared:
        above = Q(**{f"{rule.path}__in": lineage(places[0]), rule.shared: True})
        condition |= above
    return queryset.filter(condition)


def under(unit: Any, queryset: QuerySet[M]) -> QuerySet[M]:
    """The rows of `queryset` that belong to `unit` or to one under it, whoever asks."""
    rule: Belongs = queryset.model.reach  # type: ignore[attr-defined]
    return queryset.filter(**{f"{rule.path}__startswith": unit.path})


def can(user: Any, act: Act, row: models.Model) -> bool:
    """Whether `user` may do `act` to this stored row."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    return within(user, rows, act).exists()


def can_anywhere(user: Any, act: Act, model: type[models.Model]) -> bool:
    """Whether there can be any row of `model` to which `user` may do `act`."""
    if user.is_superuser and user.is_active:
        return True
    rule: Rule | None = getattr(model, "reach", None)
    return user.is_authenticated and bool(_grant(user, rule, act).places)


def can_in(
    user: Any, act: Act, model: type[models.Model], unit: Any, *, as_deputy: bool = True
) -> bool:
    """Whether `user` may do `act` to a row of `model` that belongs to `unit`: asked before
    a row is made or is moved there. `as_deputy`: also for those for whom they stand in."""
    return decide(user, act, model, unit.path, as_deputy=as_deputy).may


def decide(
    user: Any, act: Act, model: type[models.Model], path: str, *, as_deputy: bool = True
) -> Decision:
    """The same, with what decides it; `path` is that of the unit."""
    if user.is_superuser and user.is_active:
        return Decision(Why.EVERYTHING)
    rule: Rule | None = getattr(model, "reach", None)
    grant = _grant(user, rule, act, as_deputy=as_deputy)
    for place in grant.places:
        if isinstance(rule, OfAll) or covers(place, path):
            return Decision(grant.why, place, grant.least)
    return Decision(Why.ELSEWHERE if grant.places else grant.why, least=grant.least)


def decide_of(user: Any, act: Act, row: Any) -> Decision:
    """As `can`, with what decides it."""
    if isinstance(row.reach, OfAll):
        return decide(user, act, type(row), "")
    path = type(row)._default_manager.values_list(row.reach.path, flat=True).get(pk=row.pk)
    found = decide(user, act, type(row), path)
    if found.may or not can(user, act, row):
        return found
    return Decision(Why.SHARED)


def stands_in_for(user: Any) -> list[str]:
    """The paths of the units whose approvers the user stands in for at the moment, as far as the
    user reaches them. Asked once for each loaded user."""
    if "_stands_in_for" not in user.__dict__:
        user.__dict__["_stands_in_for"] = _find_deputyships(member_of(user))
    found: list[str] = user.__dict__["_stands_in_for"]
    return found


def covers(path: str, other: str) -> bool:
    """Whether the unit at `other` is the one at `path`, or stands somewhere under it."""
    return other.startswith(path)


def lineage(path: str) -> list[str]:
    """The paths of a unit and of all above it, the top first."""
    return [path[:end] for end in range(STEP, len(path) + 1, STEP)]


@dataclass(frozen=True)
class _Grant:
    """The paths of the units under which somebody may do an act; and what decides it."""

    why: Why
    places: tuple[str, ...] = ()
    least: int = 0


def _grant(user: Any, rule: Rule | None, act: Act, *, as_deputy: bool = True) -> _Grant:
    member = member_of(user)
    if rule is None:
        return _Grant(Why.GLOBAL)
    if member is None:
        return _Grant(user.__dict__["_standing"])
    least, path = rule.least_role(act), member.unit.path
    if rule.needs_top(act) and len(path) > STEP:
        return _Grant(Why.NOT_TOP, least=least)
    if member.role >= least:
        return _Grant(Why.ROLE, (path,), least)
    is_answering = least == Role.APPROVER and act in (Act.VIEW, Act.APPROVE)
    if is_answering and as_deputy and (places := stands_in_for(user)):
        return _Grant(Why.DEPUTY, tuple(places), least)
    return _Grant(Why.TOO_LOW, least=least)


def _find_deputyships(member: Any | None) -> list[str]:
    if member is None:
        return []
    rows = member.deputyships.current(database_now()).order_by("unit__path")
    paths = rows.values_list("unit__path", flat=True)
    return [path for path in paths if covers(member.unit.path, path)]


def _find_member(user: Any) -> tuple[Any | None, Why]:
    if not user.is_active:
        return None, Why.INACTIVE
    member = user.member_or_none()
    if member is None:
        return None, Why.NO_UNIT
    if type(member.unit).objects.is_stopped(member.unit.path):
        return None, Why.STOPPED
    return member, Why.ROLE
