"""Clashes in words. Others are named where the reader reaches them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from channels.models import Room
from orgs.moments import clock
from orgs.reach import within
from schedules.bookings.slots import Limit
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import NO_CHANGES, Change, Kind
from schedules.shown import windows
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.clashing import Clash, Message, Span, find_clashes, times_in
from schedules.shown.calendar.entry import Shown
from schedules.states import RunState, ScheduleState

NAMED = 3
DAYS = 60  # that are looked at
DAY, JUST = timedelta(days=1), timedelta.resolution


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
    found = find_clashes(mine, [(begin, end)])
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


def clashes_at(
    schedule: Schedule, times: Iterable[datetime], *, by: Any, now: datetime
) -> dict[datetime, list[str]]:
    """With what a message of this schedule clashes if it goes at these times: for each a sentence
    for each room of its first ones."""
    mine = [Message(at, schedule.pk) for at in times if at > now]
    if not mine or schedule.audience_id:
        return {}
    without = [schedule.edits_id] if schedule.edits_id else []  # it comes in that one’s place
    found = find_clashes(mine, _days_around(mine, schedule.zone, now), apart_from=without)
    # What comes at the very same time is told its own: that it clashes with this one.
    own = [(one, clash, schedule.zone) for one, clash in found if one.schedule_id == schedule.pk]
    return {one.at: lines for one, lines in _told(own, by).items()}


def clashes_then(
    rows: Mapping[int, Schedule], moved: Mapping[Message, datetime], *, by: Any, now: datetime
) -> dict[Message, list[str]]:
    """With what messages of these schedules clash once they have all moved: each is named by its
    appointed time, and goes at this new one. Told by the new times, of so many days."""
    coming = {Message(at, one.schedule_id) for one, at in moved.items()}
    coming = {one for one in coming if one.at > now and not rows[one.schedule_id].audience_id}
    if not coming:
        return {}
    spans = _days_around(coming, "UTC", now)
    mine = coming | set(_others_of_same(rows, moved, spans))
    found = [
        (one, clash, rows[one.schedule_id].zone)
        for one, clash in find_clashes(mine, spans)
        if one in coming
    ]
    return _told(found, by)


def _others_of_same(
    rows: Mapping[int, Schedule], moved: Mapping[Message, datetime], spans: Sequence[Span]
) -> Iterator[Message]:
    """What else these schedules send in these spans, when they have moved."""
    exceptions = HolidayException.tables({row.holiday_country for row in rows.values()})
    known = OccurrenceChange.of_all(list(rows), spans[0][0] - JUST)
    own: dict[int, dict[datetime, Change]] = defaultdict(dict)
    for one, at in moved.items():
        own[one.schedule_id][one.at] = Change(due_at=at)
    for pk, row in rows.items():
        is_single = row.timing_kind == Kind.ONCE
        if row.state == ScheduleState.ACTIVE and not (is_single and own[pk]):
            changes = {**known.get(pk, NO_CHANGES), **own[pk]}
            for at in times_in(spans, row, exceptions, changes):
                yield Message(at, pk)


def _days_around(messages: Iterable[Message], zone: str, now: datetime) -> list[Span]:
    """The days of these, with the one before and after, so that no day is cut; each once."""
    days = sorted({one.at.astimezone(ZoneInfo(zone)).date() for one in messages})
    spans: list[Span] = []
    for day in days[:DAYS]:
        begin, end = (windows.midnight(at, zone) for at in (day - DAY, day + 2 * DAY))
        begin = max(begin, now)
        if spans and begin <= spans[-1][1]:
            spans.append((spans[-1][1], end))
        else:
            spans.append((begin, end))
    return spans


def _told(found: Sequence[tuple[Message, Clash, str]], by: Any) -> dict[Message, list[str]]:
    """A sentence for each, on the clock of this zone."""
    names = _names(
        {other.schedule_id for _one, clash, _zone in found for other in clash.others}, by
    )
    rooms = within(by, Room.objects.filter(pk__in={clash.room_id for _one, clash, _zone in found}))
    named = dict(rooms.values_list("pk", "name"))
    told: dict[Message, list[str]] = defaultdict(list)
    for one, clash, zone in found:
        line = _in_words(clash, names, named.get(clash.room_id, ""), zone)
        if line not in told[one] and len(told[one]) < NAMED:
            told[one].append(line)
    return dict(told)


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
