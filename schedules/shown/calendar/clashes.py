"""Clashes: two messages that come to one room closer than it bears, or more of a day than it bears.
Others are named where the reader reaches them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from channels.models import Room
from config.scoped.times import clock
from orgs.reach import within
from schedules.bookings.bounds import bounds_of
from schedules.bookings.slots import Bounds, Limit
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import NO_CHANGES, changed_occurrences
from schedules.shown import windows
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.entry import Shown
from schedules.states import RunState, ScheduleState

OTHERS = 20  # schedules that send to the same rooms and are looked at, the soonest first
OF_EACH = 100  # times of each of these
LINKS = 20_000  # of schedules to rooms
NAMED = 3
DAY, JUST = timedelta(days=1), timedelta.resolution


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


def clashes_of(asked: Asked, shown: Shown, now: datetime) -> dict[tuple[int, datetime], str]:
    """By schedule and time, with whom what is to go clashes, in words."""
    mine = [
        Message(entry.due_at, entry.schedule_id)
        for entry in shown.entries
        if entry.due_at > now and entry.state == RunState.PLANNED and not entry.is_often
    ]
    if not mine:
        return {}
    begin, end = max(asked.begin, now), asked.end
    found = _clashes(mine, begin, end)
    names = _names({each.schedule_id for _one, clash in found for each in clash.others}, asked.by)
    by_message: dict[Message, list[str]] = defaultdict(list)
    for one, clash in found:
        by_message[one] += [names.get(other.schedule_id, "") for other in clash.others]
    wanted = set(mine)
    return {
        (one.schedule_id, one.at): _listed(titles)
        for one, titles in by_message.items()
        if one in wanted
    }


def clashes_at(schedule: Schedule, at: datetime, *, by: Any, now: datetime) -> list[str]:
    """With what a message of this schedule clashes if it goes at that time: a sentence for each
    room of its first ones."""
    if at <= now or schedule.audience_id:
        return []
    me = Message(at, schedule.edits_id or schedule.pk)
    begin = windows.midnight(at.astimezone(ZoneInfo(schedule.zone)).date(), schedule.zone)
    found = [
        clash for one, clash in _clashes([me], max(begin - DAY, now), begin + 2 * DAY) if one == me
    ]
    names = _names({each.schedule_id for clash in found for each in clash.others}, by)
    rooms = within(by, Room.objects.filter(pk__in={clash.room_id for clash in found}))
    rooms_named = dict(rooms.values_list("pk", "name"))
    lines = (_in_words(clash, names, rooms_named.get(clash.room_id, ""), schedule.zone)
             for clash in found)  # fmt: skip
    return list(dict.fromkeys(lines))[:NAMED]


def _clashes(
    mine: Sequence[Message], begin: datetime, end: datetime
) -> list[tuple[Message, Clash]]:
    ids = {message.schedule_id for message in mine}
    rooms = set(_links(ids).values_list("room_id", flat=True)[:LINKS])
    others = _others(rooms, ids, end)
    of_room: dict[int, set[int]] = defaultdict(set)
    links = _links({*ids, *(other.pk for other in others)}).filter(room__in=rooms)
    for schedule_id, room_id in links.values_list("schedule_id", "room_id")[:LINKS]:
        of_room[room_id].add(schedule_id)
    shared = {room_id: found for room_id, found in of_room.items() if len(found) > 1}
    bounds = bounds_of(Room.objects.filter(pk__in=shared))
    by_schedule: dict[int, list[Message]] = defaultdict(list)
    for message in (*mine, *_coming(others, begin, end)):
        by_schedule[message.schedule_id].append(message)
    # Rooms that have the same schedules and bear the same fare alike.
    alike = {(frozenset(shared[pk]), bound): pk for pk, bound in bounds.items()}
    found: list[tuple[Message, Clash]] = []
    for (schedule_ids, bound), room_id in alike.items():
        messages = [one for pk in schedule_ids for one in by_schedule[pk]]
        found += clashing(messages, bound, room_id)
    return found


def _links(schedule_ids: Collection[int]) -> Any:
    return Schedule.rooms.through.objects.filter(schedule__in=schedule_ids)


def _others(rooms: Collection[int], ids: Collection[int], end: datetime) -> list[Schedule]:
    """Of whomever: a room does not care whose message it bears."""
    rows = Schedule.objects.present().filter(
        state=ScheduleState.ACTIVE, next_due_at__lt=end, rooms__in=rooms
    )
    return list(rows.exclude(pk__in=ids).distinct().order_by("next_due_at", "id")[:OTHERS])


def _coming(rows: Sequence[Schedule], begin: datetime, end: datetime) -> Iterator[Message]:
    exceptions = HolidayException.tables({row.holiday_country for row in rows})
    changes = OccurrenceChange.of_all([row.pk for row in rows], begin - JUST)
    for row in rows:
        if row.next_due_at is None or row.timing.problems():
            continue
        coming = changed_occurrences(
            row.timing,
            max(begin, row.next_due_at) - JUST,
            exceptions=exceptions,
            changes=changes.get(row.pk, NO_CHANGES),
        )
        for one in islice(coming, OF_EACH):
            if one.due_at >= end:
                break
            if not one.skipped:
                yield Message(one.due_at, row.pk)


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


def _names(schedule_ids: Collection[int], by: Any) -> dict[int, str]:
    rows = within(by, Schedule.objects.filter(pk__in=schedule_ids))
    titles = rows.values_list("pk", "title")
    return {
        pk: _("“%(title)s”") % {"title": title or _("(without a title)")} for pk, title in titles
    }


def _listed(titles: Iterable[str]) -> str:
    """The first of them; those out of reach have no name."""
    each = list(dict.fromkeys(title or _("another schedule") for title in titles))
    more = len(each) - NAMED
    words = ", ".join(each[:NAMED])
    return _("%(names)s and %(more)d more") % {"names": words, "more": more} if more > 0 else words


def _in_words(clash: Clash, names: Mapping[int, str], room: str, zone: str) -> str:
    who = _listed(names.get(other.schedule_id, "") for other in clash.others)
    room = room or _("a room")
    if clash.limit == Limit.CAP:
        words = _("%(room)s has more messages on that day than it bears, with %(who)s.")
        return words % {"room": room, "who": who}
    at = clock(clash.others[0].at, zone)
    words = _("%(room)s has %(who)s too close to it, at %(time)s.")
    return words % {"room": room, "who": who, "time": at}
