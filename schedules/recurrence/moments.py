"""From the wall clock of a zone to real moments (UTC), over every shift of the zone."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .rule import Rule

DAY = timedelta(days=1)


class Moment(NamedTuple):
    """A moment in UTC; `moved` if the wall-clock time it stands for does not exist."""

    due_at: datetime
    moved: bool


def first_moment(wall: datetime, zone: ZoneInfo) -> Moment:
    """When the clocks first show this time, or the first moment after the gap it fell into."""
    due_at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(due_at, zone) == wall:
        return Moment(due_at, moved=False)
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)  # fold 1 is the earlier in a gap
    return Moment(_shift(before, due_at, zone), moved=True)


def appointments(rule: Rule, zone: ZoneInfo, since: datetime) -> Iterator[Moment]:
    """The moments of a rule of fixed times from this one on, ascending, none twice."""
    previous = None
    # From the day before: its last hour may have been moved past midnight.
    for wall in rule.walls(datetime.combine(since.astimezone(zone).date() - DAY, time())):
        moment = first_moment(wall, zone)
        if moment.moved and (moment == previous or _has_own_place(wall, moment, rule, zone)):
            continue
        previous = moment
        if moment.due_at >= since:
            yield moment


def on_the_grid(rule: Rule, zone: ZoneInfo, since: datetime) -> Iterator[Moment]:
    """The moments of a rule on the clock's grid from this one on, ascending."""
    while True:
        # Within a stretch of one offset the wall clock runs like any other: no gap, no overlap.
        offset, until = _offset(since, zone), since + DAY
        if _offset(until, zone) != offset:
            until = _shift(since, until, zone)
        for wall in rule.walls((since + offset).replace(tzinfo=None)):
            due_at = wall.replace(tzinfo=UTC) - offset
            if due_at >= until:
                break
            yield Moment(due_at, moved=False)
        else:
            return
        # The next may be years away; two days of margin are more than any change of offset.
        since = max(until, due_at - 2 * DAY)


def _has_own_place(wall: datetime, moment: Moment, rule: Rule, zone: ZoneInfo) -> bool:
    """Whether a moved time needs no moving: the rule goes there anyway, or its day never was."""
    arrival = _wall(moment.due_at, zone)
    departure = _wall(moment.due_at - timedelta.resolution, zone)
    # Samoa went from 29 to 31 December 2011: a daily message of the 30th is owed to nobody.
    never_was = departure.date() < wall.date() < arrival.date()
    return never_was or rule.includes(arrival)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _shift(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment with another offset than `before`, to the second."""
    offset = _offset(before, zone)
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(datetime.fromtimestamp(middle, UTC), zone) == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
