"""Charges: what a coming run is billed, and when. A month bears what leaves in it: quiet hours may
move a run, in some of its rooms or in all, into the next one.

Foreseen as for rooms that have nothing else: what waits its turn in one waits minutes, and what
its schedule alone brings more of a day than the room bears is left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from channels.models import Room
from orgs.models import Unit
from schedules.bookings.bounds import bounds_of, bounds_of_audiences
from schedules.bookings.quota import Charge
from schedules.bookings.rooms import leaves_at
from schedules.bookings.slots import Bounds
from schedules.cost import Cost
from schedules.models import Schedule


class Share(NamedTuple):
    """What an account bills of a run for all that bears the same, and so leaves together."""

    account_id: int
    bounds: Bounds
    people: int
    messages: int


class Bearing:
    """What these rooms bear, and audiences of these units: three questions, however many."""

    def __init__(self, rooms: Iterable[Room], units: Iterable[Unit]) -> None:
        rooms, units = list(rooms), list(units)
        self.rooms = bounds_of(rooms) if rooms else {}
        self.units = bounds_of_audiences(units) if units else {}

    def shares(
        self, schedule: Schedule, costs: Mapping[int, Cost], rooms: Iterable[Room]
    ) -> list[Share]:
        """Of one run that costs this, by account; to these rooms, or to its audience."""
        people: Counter[tuple[int, Bounds]] = Counter()
        if schedule.audience_id:
            bounds = self.units[schedule.unit_id]
            people.update({(pk, bounds): cost.people for pk, cost in costs.items()})
        else:
            of_costs = (room for room in rooms if room.account_id in costs)
            for room in of_costs:
                people[room.account_id, self.rooms[room.pk]] += room.people
        return [
            Share(pk, bounds, count, costs[pk].requests * count)
            for (pk, bounds), count in people.items()
        ]


Days = Counter[tuple[Bounds, date]]  # what a schedule has brought to rooms that bear the same


def charges(
    schedule: Schedule,
    shares: Iterable[Share],
    due_at: datetime,
    followed_at: datetime | None,
    days: Days | None = None,
) -> dict[Charge, int]:
    """How many messages of the run at this time are charged to what; `followed_at`: its next time.
    What quiet hours leave out is charged to nothing, nor is what is one too many for a day: who
    goes through many times keeps in `days` what those before have brought."""
    found: Counter[Charge] = Counter()
    moments: dict[Bounds, datetime | None] = {}
    days = Counter() if days is None else days
    for share in shares:
        if share.bounds not in moments:
            moment = leaves_at(schedule, due_at, followed_at, share.bounds)
            moments[share.bounds] = moment if _has_place(share.bounds, moment, days) else None
        if (leaving := moments[share.bounds]) is not None:
            found[Charge(share.account_id, leaving)] += share.messages
    return dict(found)


def _has_place(bounds: Bounds, moment: datetime | None, days: Days) -> bool:
    """Whether the day on which it leaves has not had its number yet, which it then takes."""
    if moment is None or not bounds.cap:
        return moment is not None
    day = bounds, moment.astimezone(ZoneInfo(bounds.zone)).date()
    days[day] += 1
    return days[day] <= bounds.cap
