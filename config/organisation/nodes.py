"""What the chart says of a unit: who is in it, how much hangs on it and under it, its state. The
same number of queries for three units and for three hundred."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from channels.models import Room
from orgs.models import Member, Unit
from orgs.reach import Act, can_anywhere, lineage, member_of, within
from schedules.models import Schedule
from schedules.shown.freezes import in_force_for

NAMED = 4  # people of a unit; of more it says how many


@dataclass
class Node:
    """One unit of the chart. `rooms` and `schedules` are those of it and of all under it."""

    unit: Unit
    level: int  # 1: where what the reader reaches begins
    people: list[Member]
    more_people: int
    rooms: int
    schedules: int
    is_stopped: bool  # by a unit above it, where it is active itself
    freeze: str  # "", "own" or "above"
    demands: Unit | None  # the unit that says that approval is needed
    may_add: bool
    may_move: bool
    may_join: bool
    children: "list[Node]" = field(default_factory=list)
    rest: int = 0  # further children, from after the one with the id `after`
    after: int = 0
    place: int = 0  # among its siblings
    siblings: int = 0

    @property
    def has_children(self) -> bool:
        return bool(self.children) or self.unit.numchild > 0


def nodes_of(user: Any, units: Sequence[Unit]) -> dict[str, Node]:
    """A node for each unit, by its path."""
    paths = [unit.path for unit in units]
    member = member_of(user)
    first = member.unit.depth if member and not user.is_superuser else 1
    people = _people(user, units)
    counts = Counter(dict(_members(user, units).values_list("unit_id").annotate(Count("pk"))))
    rooms = _with_all_under(within(user, Room.objects.all()), paths)
    schedules = _with_all_under(within(user, Schedule.objects.present()), paths)
    steps = {step for path in paths for step in lineage(path)}
    stopped = set(Unit.objects.filter(path__in=steps, is_active=False).values_list("path"))
    frozen = set(in_force_for(user).exclude(unit=None).values_list("unit__path"))
    demanding = Unit.objects.demanding(paths)
    may_organise, may_join = (can_anywhere(user, Act.ORGANISE, model) for model in (Unit, Member))
    return {
        unit.path: Node(
            unit=unit,
            level=unit.depth - first + 1,
            people=people[unit.pk],
            more_people=counts[unit.pk] - len(people[unit.pk]),
            rooms=rooms[unit.path],
            schedules=schedules[unit.path],
            is_stopped=unit.is_active and _is_under(unit, stopped),
            freeze="own" if (unit.path,) in frozen else "above" if _is_under(unit, frozen) else "",
            demands=demanding.get(unit.path),
            may_add=may_organise and unit.kind != Unit.Kind.BRANCH,
            may_move=may_organise and unit.depth > 1,
            may_join=may_join,
        )
        for unit in units
    }


def _is_under(unit: Unit, marked: set[tuple[str]]) -> bool:
    return any((path,) in marked for path in lineage(unit.path)[:-1])


def _members(user: Any, units: Sequence[Unit]) -> QuerySet[Member]:
    return within(user, Member.objects.filter(unit__in=[unit.pk for unit in units])).order_by()


def _people(user: Any, units: Sequence[Unit]) -> dict[int, list[Member]]:
    """The first of each unit, those with the highest role before others."""
    number = Window(
        RowNumber(), partition_by=F("unit_id"), order_by=[F("role").desc(), F("user__username")]
    )
    rows = _members(user, units).annotate(number=number).filter(number__lte=NAMED)
    found: dict[int, list[Member]] = defaultdict(list)
    for row in rows.select_related("user").order_by("unit_id", "number"):
        found[row.unit_id].append(row)
    return found


def _with_all_under(rows: QuerySet, paths: Iterable[str]) -> Counter[str]:
    """How many rows each of these units has, with those under it."""
    wanted, found = set(paths), Counter[str]()
    own = rows.order_by().values_list("unit__path").annotate(Count("pk"))
    for path, count in own:
        found.update({step: count for step in lineage(path) if step in wanted})
    return found
