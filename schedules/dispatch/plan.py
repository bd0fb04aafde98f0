"""Plan: occurrences that come within the horizon become runs with deliveries."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, partial

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind
from channels.models import Account, Room
from logs import history
from logs.models import Counter
from orgs.bulk import update_each
from schedules.actions.clearing import ask
from schedules.clearance import uncleared
from schedules.models import HolidayException, Installation, Schedule
from schedules.models.schedule import ScheduleQuerySet
from schedules.recurrence import (
    NO_CHANGES,
)
from schedules.runs import warn
from schedules.runs.coming import (
    changes_of,
    coming_until,
    count_missed,
    freeze_or_skip,
    grace,
    write_new,
)
from schedules.runs.freeze import with_content
from schedules.runs.frozen import Frozen
from schedules.states import ScheduleState, move

logger = logging.getLogger(__name__)

SCHEDULES_A_TURN = 500
# About a second's work: what is due meanwhile comes with the next turn.
RUNS_A_TURN = 2_000
ROWS_A_TURN = 5_000


def plan(now: datetime, among: ScheduleQuerySet | None = None) -> int:
    """Write what is due within the horizon; `among`: only of these schedules. Returns the number
    of runs; 0 means done.

    Several planners may run at once: a schedule is locked by one of them, and the unique
    constraint on schedule and time stands behind that.
    """
    horizon = now + timedelta(seconds=settings.TEIJI_HORIZON_SECONDS)
    # Asked first without a lock: on SQLite a transaction takes the only write lock there is.
    due = (Schedule.objects.all() if among is None else among).to_plan(horizon)
    if not due.exists():
        return 0
    installation = Installation.objects.present()
    if installation and installation.fenced_at:
        return 0  # next_due_at stays: what passes meanwhile is planned when the fence is lifted
    skip_until = installation.skip_until if installation else None
    for some, most in _in_their_turn(due, now):
        if some.exists():
            with transaction.atomic():
                if count := _plan_turn(_take_schedules(some, most), now, horizon, skip_until):
                    return count
    return 0


def _in_their_turn(due: ScheduleQuerySet, now: datetime) -> Iterator[tuple[ScheduleQuerySet, int]]:
    """Parts of these, each with how many of it make a turn."""
    late = now - grace()
    in_time = due.filter(next_due_at__gte=late)
    # Nobody waits for another's fifty thousand rooms; those go alone, so that another planner may
    # write the next large one meanwhile.
    yield in_time.by_size(large=False), SCHEDULES_A_TURN
    yield in_time.by_size(large=True), 1
    # What can still go comes first: to write down what an outage has missed may take minutes.
    yield due.filter(next_due_at__lt=late), SCHEDULES_A_TURN


def _plan_turn(
    taken: list[Schedule], now: datetime, horizon: datetime, skip_until: datetime | None
) -> int:
    schedules = _cleared(taken, now)
    batch: list[Frozen] = []
    holidays = {country: HolidayException.table(country)
                for country in {schedule.holiday_country for schedule in schedules}}  # fmt: skip
    changes = changes_of(schedules)
    open_account = cache(Account.open)  # one account has many rooms and many schedules
    freeze_one = partial(freeze_or_skip, now=now, skip_until=skip_until, open_account=open_account)
    planned: list[Schedule] = []
    rows = 0
    for schedule in schedules:
        if len(batch) >= RUNS_A_TURN or rows >= ROWS_A_TURN:
            break
        planned.append(schedule)
        try:
            known = holidays[schedule.holiday_country], changes.get(schedule.pk, NO_CHANGES)
            coming, following = coming_until(schedule, horizon, *known)
            frozen = [freeze_one(schedule, *each) for each in coming]
        except (ValueError, TypeError) as error:
            _give_up(schedule, error, now)
        else:
            schedule.next_due_at = following
            batch += frozen
            rows += sum(len(one.deliveries) for one in frozen)
    new = write_new(batch, now)
    update_each(Schedule, ["next_due_at"], [(row.next_due_at, row.pk) for row in planned])
    Counter.add(Counter.Name.MISSED, count_missed(new))
    return len(batch)


def _cleared(schedules: list[Schedule], now: datetime) -> list[Schedule]:
    """Those that send what was let go. What others have changed since, as the value of a
    placeholder, is a matter for their approvers: it waits for them from now on."""
    barred = uncleared(schedules)
    for schedule in schedules:
        if schedule.pk in barred:
            ask(schedule, by=None, now=now)
    return [schedule for schedule in schedules if schedule.pk not in barred]


def _take_schedules(due: ScheduleQuerySet, most: int) -> list[Schedule]:
    """So many of these, held. Those that are put off for their rooms do not keep
    the others behind them from their turn, however many they are."""
    found: list[Schedule] = []
    rows = with_content(due).select_for_update(skip_locked=True, of=("self",))
    while wanted := most - len(found):
        locked = list(rows[:wanted])
        found += _with_free_rooms(locked)
        if len(locked) < wanted:
            break
        last = locked[-1]
        behind = Q(next_due_at=last.next_due_at, pk__gt=last.pk)
        rows = rows.filter(Q(next_due_at__gt=last.next_due_at) | behind)
    return found


def _with_free_rooms(schedules: list[Schedule]) -> list[Schedule]:
    """Those whose rooms no other planner holds: one that stands still must hold up its own rooms
    alone. The others' turn comes as soon as those are free."""
    rooms = {schedule.pk: {room.pk for room in schedule.rooms.all()} for schedule in schedules}
    wanted = Room.objects.filter(id__among=sorted(set().union(*rooms.values()))).order_by("id")
    free = set(wanted.select_for_update(skip_locked=True, no_key=True).values_list("id", flat=True))
    return [schedule for schedule in schedules if rooms[schedule.pk] <= free]


def _give_up(schedule: Schedule, error: Exception, now: datetime) -> None:
    """A timing that became unusable (a zone that is gone) must not hold up the others."""
    said = {"came_of": schedule.request}
    logger.error("schedule %s cannot be planned: %s", schedule.pk, error, extra=said)
    schedule.next_due_at = None
    move(Schedule.objects.filter(pk=schedule.pk), ScheduleState.ERROR)
    history.record(
        "error", schedule, by=None, now=now, unit_path=schedule.unit.path,
        changes={"error": str(error)},
    )  # fmt: skip
    alerts.raise_(
        AlertKind.MISSED,
        warn.RUNS,
        schedule.unit.path,
        key=f"{AlertKind.MISSED}:{schedule.pk}:{now.isoformat()}",
        name=schedule.title,
        text=lambda: (
            _("%(title)s cannot be planned any more: %(error)s")
            % {"title": schedule.title, "error": error}
        ),
        now=now,
    )
