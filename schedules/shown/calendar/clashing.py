"""Clashes: messages that come to one room closer than it bears, or more of a day than it bears."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from channels.models import Room
from schedules.bookings.bounds import bounds_of
from schedules.bookings.slots import Bounds, Limit
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import NO_CHANGES, Changes, Exceptions, changed_occurrences
from schedules.states import ScheduleState

OTHERS = 20  # schedules that send to the same rooms and are looked at, the soonest first
OF_EACH = 100  # times of each of these, in each span
LINKS = 20_000  # of schedules to rooms
JUST = timedelta.resolution

Span = tuple[datetime, datetime]


class Message(NamedTuple):
    """What comes to a room; in the order of these."""

    at: datetime
    schedule_id: int


@dataclass(frozen=True)
class Clash:
    """Of one message with others in one room."""

    limit: Limit
    room_id: int
    others: tuple[Message, ...]


def clashing(
    messages: Iterable[Message], bounds: Bounds, room_id: int
) -> Iterator[tuple[Message, Clash]]:
    """Each that clashes in this room. Pure."""
    ordered = sorted(set(messages))
    for number, one in enumerate(ordered):
        before = _near(one, reversed(ordered[:number]), bounds.interval)
        after = _near(one, iter(ordered[number + 1 :]), bounds.interval)
        if near := (*reversed(before), *after):
            yield one, Clash(Limit.INTERVAL, room_id, near)
    for of_day in _by_day(ordered, bounds.zone).values() if bounds.cap else ():
        for one in of_day[bounds.cap :]:
            others = tuple(each for each in of_day if each != one)
            yield one, Clash(Limit.CAP, room_id, others)


def find_clashes(
    mine: Collection[Message], spans: Sequence[Span], *, apart_from: Collection[int] = ()
) -> list[tuple[Message, Clash]]:
    """Of these messages with each other and with what comes in these spans, in their order, by
    other schedules but for those that are named."""
    ids = {message.schedule_id for message in mine}
    rooms = set(_links(ids).values_list("room_id", flat=True)[:LINKS])
    others = _others(rooms, {*ids, *apart_from}, spans[-1][1])
    of_room: dict[int, set[int]] = defaultdict(set)
    links = _links({*ids, *(other.pk for other in others)}).filter(room__in=rooms)
    for schedule_id, room_id in links.values_list("schedule_id", "room_id")[:LINKS]:
        of_room[room_id].add(schedule_id)
    shared = {room_id: found for room_id, found in of_room.items() if len(found) > 1}
    bounds = bounds_of(Room.objects.filter(pk__in=shared))
    by_schedule: dict[int, list[Message]] = defaultdict(list)
    for message in (*mine, *_coming(others, spans)):
        by_schedule[message.schedule_id].append(message)
    # Rooms that have the same schedules and bear the same fare alike.
    alike = {(frozenset(shared[pk]), bound): pk for pk, bound in bounds.items()}
    found: list[tuple[Message, Clash]] = []
    for (schedule_ids, bound), room_id in alike.items():
        messages = [one for pk in schedule_ids for one in by_schedule[pk]]
        found += clashing(messages, bound, room_id)
    return found


def times_in(
    spans: Sequence[Span], row: Schedule, exceptions: Exceptions, changes: Changes
) -> Iterator[datetime]:
    """When it goes, as these changes have it: so many times of each span."""
    if row.timing.problems():
        return
    for begin, end in spans:
        coming = changed_occurrences(
            row.timing, begin - JUST, exceptions=exceptions, changes=changes
        )
        for one in islice(coming, OF_EACH):
            if one.due_at >= end:
                break
            if not one.skipped:
                yield one.due_at


def _links(schedule_ids: Collection[int]) -> Any:
    return Schedule.rooms.through.objects.filter(schedule__in=schedule_ids)


def _others(rooms: Collection[int], ids: Collection[int], end: datetime) -> list[Schedule]:
    """Of whomever: a room does not care whose message it bears."""
    rows = Schedule.objects.present().filter(
        state=ScheduleState.ACTIVE, next_due_at__lt=end, rooms__in=rooms
    )
    return list(rows.exclude(pk__in=ids).distinct().order_by("next_due_at", "id")[:OTHERS])


def _coming(rows: Sequence[Schedule], spans: Sequence[Span]) -> Iterator[Message]:
    exceptions = HolidayException.tables({row.holiday_country for row in rows})
    changes = OccurrenceChange.of_all([row.pk for row in rows], spans[0][0] - JUST)
    for row in rows:
        for at in times_in(spans, row, exceptions, changes.get(row.pk, NO_CHANGES)):
            if row.next_due_at and at >= row.next_due_at:
                yield Message(at, row.pk)


def _near(one: Message, others: Iterator[Message], interval: timedelta) -> list[Message]:
    found = []
    for other in others:
        if abs(other.at - one.at) >= interval:
            break
        if other.schedule_id != one.schedule_id:
            found.append(other)
    return found


def _by_day(messages: Iterable[Message], zone: str) -> Mapping[date, list[Message]]:
    found: dict[date, list[Message]] = defaultdict(list)
    for message in messages:
        found[message.at.astimezone(ZoneInfo(zone)).date()].append(message)
    return found
