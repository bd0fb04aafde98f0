"""How the worklist is narrowed: which of its three parts, and by channel, account, unit, age."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from channels.adapters import registry
from channels.models import Account
from config.scoped.admin import COUNTED
from orgs.models import Unit
from orgs.reach import Act, lineage, under, within
from schedules.models import Delivery

OFFERED = 300  # choices of one filter at most

PARTS: dict[str, tuple[Any, Callable[[], QuerySet[Delivery]]]] = {
    "decide": (_("To be decided"), Delivery.objects.to_decide),
    "asked": (_("Being asked"), Delivery.objects.being_asked),
    "left": (_("Left open"), Delivery.objects.left_as_they_are),
}
AGES: dict[str, tuple[Any, timedelta]] = {
    "hour": (_("over an hour ago"), timedelta(hours=1)),
    "day": (_("over a day ago"), timedelta(days=1)),
    "week": (_("over a week ago"), timedelta(days=7)),
}

Choices = list[tuple[str, Any]]


@dataclass(frozen=True)
class Part:
    """One of the three parts, and how much is in it."""

    name: str
    label: Any
    count: int
    is_shown: bool


class Narrowing:
    """What a person asks for in the address. What is not offered narrows to nothing."""

    def __init__(self, asked: Mapping[str, str], *, by: Any, now: datetime) -> None:
        self._by, self._now = by, now
        show = asked.get("show", "")
        self.show = show if show in PARTS else "decide"
        self.channel = asked.get("channel", "")
        self.account = asked.get("account", "")
        self.unit = asked.get("unit", "")
        self.age = asked.get("age", "")

    @property
    def is_narrowed(self) -> bool:
        return any((self.channel, self.account, self.unit, self.age))

    def rows(self) -> QuerySet[Delivery]:
        """What is asked for, within reach."""
        return self._narrowed(self._part(self.show))

    @cached_property
    def parts(self) -> list[Part]:
        return [
            Part(name, label, self._count(name), name == self.show)
            for name, (label, _rows) in PARTS.items()
        ]

    @cached_property
    def channels(self) -> Choices:
        kinds = self._all().order_by("channel").values_list("channel", flat=True).distinct()
        known = registry()
        return [(k, known[k].label if k in known else k) for k in kinds[:OFFERED]]

    @cached_property
    def accounts(self) -> Choices:
        """Whoever may not see accounts is not offered any."""
        used = self._all().order_by().values("account_id")
        rows = within(self._by, Account.objects.all(), Act.USE).filter(pk__in=used)
        return [(str(row.pk), row.name) for row in rows.order_by("name", "id")[:OFFERED]]

    @cached_property
    def units(self) -> list[tuple[str, Any, int]]:
        """Those with something unconfirmed and those above them, with their depth."""
        paths = self._all().order_by().values_list("unit_path", flat=True).distinct()[:OFFERED]
        wanted = {above for path in paths for above in lineage(path)}
        rows = within(self._by, Unit.objects.filter(path__in=wanted)).order_by("path")
        return [(str(row.pk), row.name, row.depth - 1) for row in rows]

    @property
    def ages(self) -> Choices:
        return [(name, label) for name, (label, _span) in AGES.items()]

    def _all(self) -> QuerySet[Delivery]:
        return within(self._by, Delivery.objects.unconfirmed())

    def _part(self, name: str) -> QuerySet[Delivery]:
        return within(self._by, PARTS[name][1]())

    def _count(self, name: str) -> int:
        return self._narrowed(self._part(name)).order_by()[:COUNTED].count()

    def _narrowed(self, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
        if self.channel:
            rows = rows.filter(channel=self.channel)
        if self.account:
            offered = self.account in dict(self.accounts)
            rows = rows.filter(account_id=int(self.account)) if offered else rows.none()
        if self.unit:
            rows = self._of_unit(rows)
        if self.age in AGES:
            rows = rows.filter(due_at__lt=self._now - AGES[self.age][1])
        return rows

    def _of_unit(self, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
        offered = {pk for pk, _name, _depth in self.units}
        unit = Unit.objects.filter(pk=self.unit).first() if self.unit in offered else None
        return under(unit, rows) if unit else rows.none()
