"""Routes: who is told of what happened in a unit."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from channels.models.alert import AlertKind, Notice, Telling
from channels.models.alert_target import AlertTarget
from orgs.models import Unit
from orgs.reach import lineage

OF_INSTALLATION = (AlertKind.FENCED, AlertKind.SILENT)


@dataclass(frozen=True)
class Routes:
    """The nearest unit upward that has targets is told; where none has, nobody of the units is,
    and the top one's managers see in the admin that it was so."""

    with_targets: Collection[str] = field(default_factory=frozenset)

    def told(self, unit_path: str) -> str:
        """The path of the unit that is told."""
        return self.told_or_none(unit_path) or "".join(lineage(unit_path)[:1])

    def told_or_none(self, unit_path: str) -> str | None:
        """The same; None where no unit upward has targets."""
        return next((p for p in reversed(lineage(unit_path)) if p in self.with_targets), None)


def receiver_of(unit: Unit) -> Unit | None:
    """The unit whose places are told of what fails in this one; None where nobody is."""
    path = routes_of([unit.path]).told_or_none(unit.path)
    return Unit.objects.filter(path=path).first() if path else None


def untold(units: Iterable[Unit]) -> list[Unit]:
    """Those of these of which nobody is told; one query."""
    units = list(units)
    routes = routes_of(unit.path for unit in units)
    return [unit for unit in units if routes.told_or_none(unit.path) is None]


def routes_of(unit_paths: Iterable[str]) -> Routes:
    """As the targets stand now; one query."""
    above = {path for unit_path in unit_paths for path in lineage(unit_path)}
    active = AlertTarget.objects.filter(is_active=True, unit__path__in=above).order_by()
    return Routes(frozenset(active.values_list("unit__path", flat=True).distinct()))


def of_installation() -> list[str]:
    """In whose name that is raised which concerns all: the operators’, and each headquarters’."""
    return ["", *Unit.objects.filter(depth=1).values_list("path", flat=True)]


def tellings_of(notice: Notice, now: datetime) -> list[Telling]:
    """One for each place that is told, not yet written."""
    own = AlertTarget.objects.filter(is_active=True, unit__path=notice.unit_path)
    tellings = [tell_target(notice, target, now) for target in own] if notice.unit_path else []
    return tellings + _operators(notice, now)


def tell_target(notice: Notice, target: AlertTarget, now: datetime) -> Telling:
    return Telling(notice=notice, target=target, to=target.name, next_try_at=now)


def _operators(notice: Notice, now: datetime) -> list[Telling]:
    """They are told of everything; of what concerns each headquarters, once."""
    if notice.kind in OF_INSTALLATION and notice.unit_path:
        return []
    urls: Sequence[str] = settings.TEIJI_ALERT_URLS
    return [
        Telling(notice=notice, operator=number, to=f"TEIJI_ALERT_URLS {number + 1}",
                next_try_at=now)
        for number in range(len(urls))
    ]  # fmt: skip
