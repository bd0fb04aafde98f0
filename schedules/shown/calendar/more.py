"""More: of what is not shown one by one, how much each day has, by its state. What goes on the same
days is reckoned once, so that hundreds of schedules cost little more than their few rhythms."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.models.timing import TimingFields
from schedules.recurrence import Kind
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.entry import Shown
from schedules.shown.calendar.walks import JUST, Known, state_of, walk

COUNTED = 500  # schedules of a state
LOOKED_AT = 2_000  # coming times
REGULAR = (Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY)
COLUMNS = ("id", "state", "next_due_at", *(field.name for field in TimingFields._meta.fields))


class Rest(NamedTuple):
    """A schedule, and from when on its times are not shown."""

    row: Schedule
    since: datetime


def rest_of(
    asked: Asked, shown: Shown, beyond: Iterable[QuerySet[Schedule]], begin: datetime
) -> list[Rest]:
    """Of those beyond the ones that are shown, the soonest of each state."""
    found: list[Rest] = []
    for rows in beyond:
        some = list(rows.select_related(None).only(*COLUMNS)[: COUNTED + 1])
        if len(some) > COUNTED:
            shown.has_at_least(_since(some.pop(), begin).astimezone(ZoneInfo(asked.zone)).date())
        found += [Rest(row, _since(row, begin)) for row in some]
    return found


def count_more(
    asked: Asked, shown: Shown, rest: Collection[Rest], planned: Collection[tuple[int, datetime]]
) -> None:
    """Add them up by day and state."""
    if not rest:
        return
    zone, begin = ZoneInfo(asked.zone), min(one.since for one in rest)
    countries = {one.row.holiday_country for one in rest if one.row.holiday_country}
    shown.countries |= countries
    changes = OccurrenceChange.of_all([one.row.pk for one in rest], begin - JUST)
    exceptions = HolidayException.tables(countries)
    alone = {*changes, *(pk for pk, _due_at in planned)}
    left = LOOKED_AT
    for rows in _alike(asked, rest, alone):
        row, since = rows[0]
        for time in walk(0, row, Known(asked, since, exceptions, changes)):
            day, state = time.due_at.astimezone(zone).date(), state_of(row, time.occurrence)
            left -= time.price
            if left < 0:
                shown.has_at_least(day)
                break
            if (row.pk, time.due_at) not in planned and asked.state in ("", state):
                shown.more[day][state] += len(rows)


def _since(row: Schedule, begin: datetime) -> datetime:
    return max(row.next_due_at or begin, begin)


def _alike(asked: Asked, rest: Iterable[Rest], alone: Collection[int]) -> list[list[Rest]]:
    """Those that go on the same days, together; whoever has something of its own is `alone`."""
    found: defaultdict[tuple[object, ...], list[Rest]] = defaultdict(list)
    offsets: dict[str, tuple[object, ...]] = {}
    for one in rest:
        own = one.row.pk if one.row.pk in alone else 0
        found[own, one.row.state, *_rhythm(asked, one, offsets)].append(one)
    return list(found.values())


def _rhythm(asked: Asked, one: Rest, offsets: dict[str, tuple[object, ...]]) -> tuple[object, ...]:
    """What decides upon its days. Of what goes at one time of the day, that is the days alone, as
    long as its clock and the reader's stay as far apart as they are."""
    row, since = one
    validity = _validity(asked, one)
    if row.zone not in offsets:
        offsets[row.zone] = _apart(asked, row.zone)
    begins_on_time = since in (row.next_due_at, asked.begin)
    is_regular = row.timing_kind in REGULAR and not any(validity) and begins_on_time
    if not is_regular or row.time is None or len(offsets[row.zone]) > 1:
        return since, replace(row.timing, registered_at=None)
    there = since.astimezone(ZoneInfo(row.zone))
    here = datetime.combine(there.date(), row.time, there.tzinfo).astimezone(ZoneInfo(asked.zone))
    return (
        since.astimezone(ZoneInfo(asked.zone)).date(),
        (here.date() - there.date()).days,
        row.timing_kind,
        row.zone,
        tuple(sorted(row.weekdays)),
        row.day_of_month,
        row.short_month,
        row.holiday_country,
        tuple(sorted(row.skip_dates)),
    )


def _validity(asked: Asked, one: Rest) -> tuple[datetime | None, datetime | None]:
    """As far as it bounds these days."""
    begins, ends = one.row.valid_from, one.row.valid_until
    return (
        begins if begins and begins > one.since else None,
        ends if ends and ends < asked.end else None,
    )


def _apart(asked: Asked, zone: str) -> tuple[object, ...]:
    """How far that clock is from the reader's on each of the days, each once."""
    here, there = ZoneInfo(asked.zone), ZoneInfo(zone)
    noons = (datetime.combine(day, datetime.min.time(), here) for day in asked.days)
    return tuple({at.utcoffset() - at.astimezone(there).utcoffset() for at in noons})  # type: ignore[operator]
