"""The coming times of a schedule and its timing in words, as pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.scoped.times import zone_of
from orgs.moments import clock as clock_of
from orgs.moments import day
from schedules.bookings.slots import Limit
from schedules.foreseen import Held, beyond_a_day, foresee, times_to_come
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import LEFT_OUT, Kind, Occurrence, appointed, in_words
from schedules.shown.calendar.clashes import clashes_at
from schedules.states import ScheduleState

ASKED = 3  # times of which it is told with whom they clash


@dataclass(frozen=True)
class Coming:
    """What is known about the coming times, seen at `now` by a person in `viewer_zone`."""

    words: str
    occurrences: list[Occurrence]
    zone: str
    viewer_zone: str
    now: datetime
    is_now: bool
    is_draft: bool
    is_waiting: bool
    is_usable: bool
    held: Mapping[datetime, list[Held]] = field(default_factory=dict)  # by appointed time
    clashes: Mapping[datetime, list[str]] = field(default_factory=dict)  # of the first that go
    beyond: str = ""  # what a whole day of it brings more than its rooms bear

    @property
    def first(self) -> Occurrence | None:
        """The first that goes."""
        return next((found for found in self.occurrences if not found.skipped), None)

    @property
    def is_elsewhere(self) -> bool:
        return self.zone != self.viewer_zone


def coming(schedule: Schedule, *, by: Any, now: datetime, count: int = 10) -> Coming:
    """The next occurrences, from the function that the planner uses."""
    found = times_to_come(schedule, now, count)
    going = [one.due_at for one in found if not one.skipped][:ASKED]
    return Coming(
        words=words(schedule, now),
        occurrences=found,
        held=foresee(schedule, found, now),
        clashes=clashes_at(schedule, going, by=by, now=now),
        beyond=_beyond_in_words(beyond_a_day(schedule, now)),
        zone=schedule.zone,
        viewer_zone=zone_of(by),
        now=now,
        is_now=schedule.timing_kind == Kind.NOW,
        is_draft=schedule.state == ScheduleState.DRAFT,
        is_waiting=schedule.state == ScheduleState.WAITING,
        is_usable=not _dated(schedule, now).problems(),
    )


def void_changes(schedule: Schedule, now: datetime) -> list[OccurrenceChange]:
    """Changes of coming times that its timing does not appoint any more: they do nothing."""
    rows = list(schedule.changes.filter(appointed_at__gt=now))
    if not rows or schedule.timing.problems():
        return rows
    timing, exceptions = schedule.timing, HolidayException.table(schedule.holiday_country)
    return [row for row in rows if not appointed(timing, row.appointed_at, exceptions)]


def words(schedule: Schedule, now: datetime) -> str:
    """The timing as a person would say it."""
    return in_words(_dated(schedule, now))


def reason_in_words(occurrence: Occurrence) -> str:
    """Why an occurrence does not go."""
    if occurrence.skipped == "holiday":
        return _("public holiday: %(name)s") % {"name": occurrence.detail or _("as entered")}
    if occurrence.skipped == LEFT_OUT:
        return _("a person left this one out")
    return _("a date you left out") if occurrence.skipped else ""


def held_in_words(coming: Coming, occurrence: Occurrence) -> list[str]:
    """What the limits of its rooms do to this time, a sentence each."""
    return [words_of_held(held, coming.zone) for held in coming.held.get(occurrence.due_at, [])]


def _beyond_in_words(caps: Sequence[int]) -> str:
    if not caps:
        return ""
    facts = {"rooms": len(caps), "least": caps[0], "most": caps[-1]}
    if caps[0] < caps[-1]:
        words = _(
            "%(rooms)d rooms bear no more than %(least)d to %(most)d messages a day, and a whole "
            "day of this brings more: the others are not sent."
        )
        return words % facts
    said = ngettext(
        "%(rooms)d room bears no more than %(most)d messages a day, and a whole day of this brings "
        "more: the others are not sent.",
        "%(rooms)d rooms bear no more than %(most)d messages a day, and a whole day of this brings "
        "more: the others are not sent.",
        len(caps),
    )
    return said % facts


def clashes_in_words(coming: Coming, occurrence: Occurrence) -> list[str]:
    """With whom this time clashes, a sentence each."""
    return coming.clashes.get(occurrence.due_at, [])


def words_of_held(held: Held, zone: str) -> str:
    """What a limit does, on the clock of this zone."""
    if held.leaves_at is None:
        words = {
            Limit.QUIET: _("not sent: quiet hours"),
            Limit.INTERVAL: _("not sent: other messages stand too close"),
            Limit.CAP: _("not sent: it has had its messages for that day"),
            Limit.FOLLOWED: _("not sent: a later one goes after the quiet hours"),
        }[held.limit]
    else:
        clock = f"{day(held.leaves_at, zone)} {clock_of(held.leaves_at, zone)} {zone}"
        words = {
            Limit.QUIET: _("sent %(time)s, after the quiet hours"),
            Limit.INTERVAL: _("sent %(time)s, after another message"),
        }[held.limit] % {"time": clock}
    if held.of < 2:
        return words
    facts = {"rooms": held.rooms, "of": held.of, "words": words}
    return _("%(rooms)d of %(of)d rooms: %(words)s") % facts


def _dated(schedule: Schedule, now: datetime) -> Any:
    return replace(schedule.timing, registered_at=schedule.registered_at or now)
