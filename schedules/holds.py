"""Holds: what people kept from leaving, by a freeze or the pause of a run, and for how long.

Nothing is promised for a second at which a person holds a message: that time is not lateness. What
an outage, a channel or a stopped account has delayed is late, before a hold and after it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q

from channels.models import Audience, Room
from logs.models import History
from logs.stats.lateness import PROMISE
from orgs.reach import covers
from schedules.models import Delivery, Freeze
from schedules.models.delivery import DeliveryQuerySet

LOOKED_AT_EVERY = timedelta(seconds=5)  # what is given back for a hold
LEAST = timedelta(milliseconds=PROMISE.p50)  # what waited for less was kept by nobody


@dataclass(frozen=True)
class Hold:
    """Of all through one account, of a unit and all under it, or of one run. `until` and
    `ended_by` are empty while it holds."""

    since: datetime
    until: datetime | None
    by: str
    ended_by: str
    name: str = ""  # of what was frozen
    account_id: int | None = None
    unit_path: str = ""
    run_id: int | None = None

    def holds(self, wait: "Wait", paths: Iterable[str]) -> bool:
        """Whether it is about that message, which stands in the units of these paths."""
        if self.unit_path:
            return any(covers(self.unit_path, path) for path in paths)
        return wait.account_id == self.account_id or wait.run_id == self.run_id


class Wait(NamedTuple):
    """A delivery that was to leave at `since`, and did so at `until` or has not until then."""

    id: int
    run_id: int
    account_id: int
    unit_path: str
    room_id: int | None
    audience_id: int | None
    since: datetime
    until: datetime

    @classmethod
    def of(cls, delivery: Any, account_id: int, until: datetime) -> "Wait":
        """Of a delivery, or of a worker's hold on one."""
        return cls(delivery.id, delivery.run_id, account_id, delivery.unit_path,
                   delivery.room_id, delivery.audience_id, delivery.leaves_at, until)  # fmt: skip


def held_for(waits: Iterable[Wait]) -> dict[int, timedelta]:
    """By id, for how long people held these back; nothing of those that nobody held."""
    long = [wait for wait in waits if wait.until - wait.since >= LEAST]
    if not long:
        return {}
    since, until = min(wait.since for wait in long), max(wait.until for wait in long)
    holds = holds_between(since, until, {wait.run_id for wait in long})
    places = _places(long) if any(hold.unit_path for hold in holds) else {}
    found = {}
    for wait in long:
        paths = (wait.unit_path, *places.get(wait.id, ()))
        mine = [hold for hold in holds if hold.holds(wait, paths)]
        if length := _length(mine, wait.since, wait.until):
            found[wait.id] = length
    return found


def go_now(held: DeliveryQuerySet, now: datetime) -> int:
    """A hold has ended: what was given back for it need not wait to be looked at anew. What
    another hold keeps is given back again; what a worker has in its hands just now waits."""
    given_back = held.due(now + LOOKED_AT_EVERY).filter(next_try_at__gt=now)
    free = given_back.select_for_update(skip_locked=True).values("pk")
    return Delivery.objects.filter(pk__in=free).update(next_try_at=now)


def holds_between(since: datetime, until: datetime, run_ids: Collection[int]) -> list[Hold]:
    """What was held at some moment between these, of whichever accounts and units, and of these
    runs; the first of them first."""
    held = Q(lifted_at=None) | Q(lifted_at__gt=since)
    rows = Freeze.objects.filter(held, frozen_at__lt=until)
    freezes = [
        Hold(
            row.frozen_at,
            row.lifted_at,
            row.frozen_by,
            row.lifted_by,
            row.full_name,
            account_id=row.account_id,
            unit_path=row.unit.path if row.unit else "",
        )
        for row in rows.select_related("unit", "account__unit")
    ]
    pauses = [hold for hold in _pauses(run_ids) if hold.since < until]
    found = [*freezes, *(hold for hold in pauses if not hold.until or hold.until > since)]
    return sorted(found, key=lambda hold: hold.since)


def _pauses(run_ids: Collection[int]) -> list[Hold]:
    """The table has only those that hold still; the history has all."""
    rows = History.objects.filter(kind="run", object_id__in=[str(pk) for pk in run_ids])
    acts = rows.filter(verb__in=("paused", "resumed")).order_by("id")
    begun: dict[str, History] = {}
    found = []
    for act in acts if run_ids else ():
        if act.verb == "paused":
            begun[act.object_id] = act
        elif first := begun.pop(act.object_id, None):
            found.append(_pause(first, act))
    return [*found, *(_pause(first) for first in begun.values())]


def _pause(first: History, last: History | None = None) -> Hold:
    until, ended_by = (last.at, last.actor) if last else (None, "")
    return Hold(first.at, until, first.actor, ended_by, run_id=int(first.object_id))


def _places(waits: Sequence[Wait]) -> dict[int, tuple[str, ...]]:
    """By id, the unit of each room and audience: it may stand below the schedule's."""
    rooms = Room.objects.filter(pk__in={wait.room_id for wait in waits if wait.room_id})
    lists = Audience.objects.filter(pk__in={w.audience_id for w in waits if w.audience_id})
    by_room = dict(rooms.values_list("pk", "unit__path"))
    by_list = dict(lists.values_list("pk", "unit__path"))
    found = {w.id: (by_room.get(w.room_id or 0), by_list.get(w.audience_id or 0)) for w in waits}
    return {id_: tuple(path for path in paths if path) for id_, paths in found.items()}


def _length(holds: Iterable[Hold], since: datetime, until: datetime) -> timedelta:
    """Of two that overlap each moment counts once. `holds` in the order of their beginnings."""
    total, counted = timedelta(), since
    for hold in holds:
        end = min(hold.until or until, until)
        begin = max(hold.since, counted)
        if end > begin:
            total, counted = total + (end - begin), end
    return total
