"""What a timing appoints becomes runs: the occurrences that come, each frozen or left out."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice

from django.conf import settings
from django.db.models.functions import Coalesce

from channels import alerts
from channels.adapters.base import Adapter
from channels.models import Account
from schedules.models import OccurrenceChange, Run, Schedule
from schedules.recurrence import (
    Change,
    Changes,
    Exceptions,
    Occurrence,
    changed_occurrences,
    followed,
)
from schedules.runs import warn
from schedules.runs.freeze import freeze, skipped
from schedules.runs.frozen import Frozen
from schedules.runs.store import store

logger = logging.getLogger(__name__)

OCCURRENCES_A_TURN = 200  # of one schedule: after a long outage the next turn goes on


def grace() -> timedelta:
    """How late an appointed message may still be planned."""
    return timedelta(seconds=settings.TEIJI_GRACE_SECONDS)


def changes_of(schedules: Sequence[Schedule]) -> dict[int, dict[datetime, Change]]:
    """What people want of single occurrences of these. Asked under their locks."""
    times = [schedule.next_due_at for schedule in schedules if schedule.next_due_at]
    if not times:
        return {}
    return OccurrenceChange.of_all([row.pk for row in schedules], min(times) - timedelta.resolution)


def coming_until(
    schedule: Schedule, horizon: datetime, exceptions: Exceptions, changes: Changes
) -> tuple[list[tuple[Occurrence, datetime | None]], datetime | None]:
    """The occurrences up to the horizon, each with the time of the next that goes; and the time
    of the first one after them."""
    assert schedule.next_due_at is not None, "to_plan() yields only what has a next time"
    just_before = schedule.next_due_at - timedelta(microseconds=1)
    coming = changed_occurrences(
        schedule.timing, just_before, exceptions=exceptions, changes=changes
    )
    taken: list[Occurrence] = []
    for occurrence in islice(coming, OCCURRENCES_A_TURN + 1):
        if occurrence.due_at > horizon or len(taken) == OCCURRENCES_A_TURN:
            return followed(taken, chain([occurrence], coming)), occurrence.due_at
        taken.append(occurrence)
    return followed(taken, ()), None


def freeze_or_skip(
    schedule: Schedule,
    occurrence: Occurrence,
    followed_at: datetime | None,
    *,
    now: datetime,
    skip_until: datetime | None = None,
    open_account: Callable[[Account], Adapter] = Account.open,
) -> Frozen:
    """The run of this occurrence, not yet written; or one that says why nothing is sent then: it
    is too late, a person left it out, or it was due up to `skip_until`."""
    due_at, first_due_at = occurrence.due_at, occurrence.first_due_at
    leave_out = partial(skipped, schedule, due_at, now=now, first_due_at=first_due_at)
    if occurrence.skipped:
        return leave_out(reason=occurrence.skipped, detail=occurrence.detail)
    if skip_until and due_at <= skip_until:
        return leave_out(reason=Run.Reason.FENCED)
    if due_at + grace() < now:
        said = {"came_of": schedule.request}
        logger.warning("missed: schedule %s at %s", schedule.pk, due_at.isoformat(), extra=said)
        return leave_out(reason=Run.Reason.MISSED)
    return freeze(
        schedule.with_text(occurrence.text),
        due_at,
        now=now,
        followed_at=followed_at,
        first_due_at=first_due_at,
        open_account=open_account,
    )


def write_new(batch: Sequence[Frozen], now: datetime) -> list[Frozen]:
    """Write those of these runs that are not there yet, and tell administrators what of them is
    left out. Returns them."""
    new = _not_yet_planned(batch)
    store(new, now)
    alerts.raise_all(warn.of_planned(new), now)
    return new


def count_missed(written: Sequence[Frozen]) -> int:
    """How many of them were too late."""
    return sum(frozen.run.reason == Run.Reason.MISSED for frozen in written)


def _not_yet_planned(batch: Sequence[Frozen]) -> list[Frozen]:
    """One run that is there already, whatever put it there, must not hold up all the others."""
    rows = Run.objects.order_by().filter(schedule__in={new.run.schedule_id for new in batch})
    appointed_at = Coalesce("first_due_at", "due_at")
    same_time = rows.filter(due_at__in={new.run.due_at for new in batch})
    same_occurrence = rows.alias(at=appointed_at).filter(
        at__in={new.run.appointed_at for new in batch}
    )
    columns = "schedule_id", "due_at", "first_due_at"
    there = list(same_time.values_list(*columns).union(same_occurrence.values_list(*columns)))
    times = {(pk, due_at) for pk, due_at, _first in there}
    occurrences = {(pk, first or due_at) for pk, due_at, first in there}
    return [
        new
        for new in batch
        if (new.run.schedule_id, new.run.due_at) not in times
        and (new.run.schedule_id, new.run.appointed_at) not in occurrences
    ]
