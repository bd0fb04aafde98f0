"""Changes of single occurrences: left out, at another time, or with another text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from types import MappingProxyType
from zoneinfo import ZoneInfo

from .occurrences import NO_EXCEPTIONS, Exceptions, Occurrence, next_occurrence, occurrences
from .timing import Timing

LEFT_OUT = "left_out"  # what Occurrence.skipped says of one that a person leaves out


@dataclass(frozen=True)
class Change:
    """What a person wants of one occurrence. One that is left out has neither time nor text."""

    skips: bool = False
    due_at: datetime | None = None  # instead of the time that its rule appoints
    text: str = ""  # instead of the schedule's


Changes = Mapping[datetime, Change]  # by the time that the rule appoints

NO_CHANGES: Changes = MappingProxyType({})


def changed_occurrences(
    timing: Timing,
    after: datetime,
    *,
    exceptions: Exceptions = NO_EXCEPTIONS,
    changes: Changes = NO_CHANGES,
) -> Iterator[Occurrence]:
    """As `occurrences`, with the changes, in the order of the times at which they go.

    A change of a time that the rule no longer appoints does nothing. Of two that come to one
    time there is one: it goes if either does.
    """
    coming = occurrences(timing, after, exceptions=exceptions)
    if not changes:
        return coming
    moved = _moved_after(timing, after, exceptions, changes)
    own = (_changed(one, changes.get(one.due_at)) for one in coming if not _leaves(one, changes))
    return _one_at_a_time(merge(own, moved, key=lambda one: (one.due_at, bool(one.skipped))))


def appointed(timing: Timing, at: datetime, exceptions: Exceptions) -> Occurrence | None:
    """The occurrence that the rule has at this very moment; None if it has none."""
    found = next_occurrence(timing, at - timedelta.resolution, exceptions=exceptions)
    return found if found and found.due_at == at else None


def _leaves(one: Occurrence, changes: Changes) -> bool:
    change = changes.get(one.due_at)
    return change is not None and change.due_at is not None


def _moved_after(
    timing: Timing, after: datetime, exceptions: Exceptions, changes: Changes
) -> list[Occurrence]:
    """Those that a person has put at another time, which comes after this one."""
    zone = ZoneInfo(timing.zone)
    found = [
        Occurrence(
            change.due_at.astimezone(UTC),
            change.due_at.astimezone(zone),
            first_due_at=at,
            text=change.text,
        )
        for at, change in changes.items()
        if change.due_at and change.due_at > after and appointed(timing, at, exceptions)
    ]
    return sorted(found, key=lambda one: one.due_at)


def _changed(one: Occurrence, change: Change | None) -> Occurrence:
    if change is None or one.skipped:  # a holiday stays one
        return one
    return replace(one, skipped=LEFT_OUT if change.skips else "", text=change.text)


def _one_at_a_time(coming: Iterator[Occurrence]) -> Iterator[Occurrence]:
    last: datetime | None = None
    for one in coming:
        if one.due_at != last:
            yield one
        last = one.due_at
