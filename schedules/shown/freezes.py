"""The freezes that concern a person: of what they reach, and of the units above their own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.safestring import SafeString

from channels.models import Account
from config.scoped.times import moment, zone_of
from orgs.models import Unit
from orgs.reach import Act, can_in, lineage, member_of, within
from schedules.models import Freeze

SHOWN = 20  # of those that were lifted
OFFERED = 200


@dataclass(frozen=True)
class Line:
    """One freeze, as this person sees it."""

    freeze: Freeze
    since: SafeString
    until: SafeString
    may_lift: bool


@dataclass(frozen=True)
class Subject:
    """What may be frozen; `depth` of a unit in the tree."""

    key: str
    name: str
    depth: int = 0


def in_force_for(user: Any) -> QuerySet[Freeze]:
    """Of what they reach; and of the units above their own and what those share with them, for
    whose freeze they wait too."""
    member = member_of(user)
    reached = within(user, Freeze.objects.in_force())
    above = lineage(member.unit.path)[:-1] if member else []
    shared = Q(account__unit__path__in=above, account__is_shared=True)
    return reached | Freeze.objects.in_force().filter(Q(unit__path__in=above) | shared)


def lines_of(user: Any, rows: QuerySet[Freeze]) -> list[Line]:
    """The latest first."""
    zone = zone_of(user)

    def told(at: datetime | None) -> SafeString:
        return moment(at, zone)

    mine = list(rows.select_related("placed_from", "account__unit").order_by("-id"))
    reached = within(user, Freeze.objects.filter(pk__in=[row.pk for row in mine]), Act.CHANGE)
    may_change = set(reached.values_list("pk", flat=True))
    return [
        Line(
            row,
            told(row.frozen_at),
            told(row.lifted_at),
            row.pk in may_change and can_in(user, Act.CHANGE, Freeze, row.placed_from),
        )
        for row in mine
    ]


def lifted_for(user: Any) -> QuerySet[Freeze]:
    """Those that were lifted last."""
    rows = within(user, Freeze.objects.exclude(lifted_at=None)).order_by("-lifted_at")
    return Freeze.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:SHOWN]))


def subjects_for(user: Any) -> tuple[list[Subject], list[Subject]]:
    """Units and accounts within reach that are not frozen themselves."""
    rows = Freeze.objects.in_force()
    units = within(user, Unit.objects.exclude(pk__in=rows.exclude(unit=None).values("unit")))
    free = Account.objects.exclude(pk__in=rows.exclude(account=None).values("account"))
    accounts = within(user, free).select_related("unit").order_by("name", "id")
    return (
        [
            Subject(f"unit:{row.pk}", row.name, row.depth)
            for row in units.order_by("path")[:OFFERED]
        ],
        [Subject(f"account:{row.pk}", f"{row.name} ({row.unit})") for row in accounts[:OFFERED]],
    )
