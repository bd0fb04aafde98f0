"""The coming times of a schedule and its timing in words, as pages show them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from config.scoped.times import zone_of
from schedules import rules
from schedules.models import Schedule
from schedules.recurrence import Kind, Occurrence, in_words
from schedules.states import ScheduleState


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
    is_usable: bool

    @property
    def first(self) -> Occurrence | None:
        """The first that goes."""
        return next((found for found in self.occurrences if not found.skipped), None)

    @property
    def is_elsewhere(self) -> bool:
        return self.zone != self.viewer_zone


def coming(schedule: Schedule, *, by: Any, now: datetime, count: int = 10) -> Coming:
    """The next occurrences, from the function that the planner uses."""
    return Coming(
        words=words(schedule, now),
        occurrences=rules.preview(schedule, now, count),
        zone=schedule.zone,
        viewer_zone=zone_of(by),
        now=now,
        is_now=schedule.timing_kind == Kind.NOW,
        is_draft=schedule.state == ScheduleState.DRAFT,
        is_usable=not _dated(schedule, now).problems(),
    )


def words(schedule: Schedule, now: datetime) -> str:
    """The timing as a person would say it."""
    return in_words(_dated(schedule, now))


def reason_in_words(occurrence: Occurrence) -> str:
    """Why an occurrence does not go."""
    if occurrence.skipped == "holiday":
        return _("public holiday: %(name)s") % {"name": occurrence.detail or _("as entered")}
    return _("a date you left out") if occurrence.skipped else ""


def _dated(schedule: Schedule, now: datetime) -> Any:
    return replace(schedule.timing, registered_at=schedule.registered_at or now)
