"""Takes back what is planned but not begun, and finds the next time anew."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from channels import alerts, pull
from channels.alerts import AlertKind
from logs.models import Counter
from schedules.actions.fence import IN_DOUBT
from schedules.actions.refusal import Refused
from schedules.models import (
    Delivery,
    HolidayException,
    Installation,
    OccurrenceChange,
    Run,
    Schedule,
)
from schedules.models.delivery import part_key
from schedules.recurrence import NO_CHANGES, Kind, Timing, changed_occurrences, next_occurrence
from schedules.runs import warn
from schedules.runs.coming import (
    changes_of,
    coming_until,
    count_missed,
    freeze_or_skip,
    write_new,
)
from schedules.runs.freeze import with_content
from schedules.states import (
    OPEN_DELIVERY,
    OPEN_RUN,
    DeliveryState,
    RunState,
    ScheduleState,
    move,
)
from schedules.totals import add_up

ONCE_A_DAY = (Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY)


def write_due(schedule: Schedule, now: datetime) -> None:
    """Make runs of what is due by now but not planned yet, as after an outage: as the schedule
    stands in the database, before it changes. They leave late, or say why they do not; what was
    promised is not lost without a word. The schedule is locked by the caller."""
    is_active = schedule.state == ScheduleState.ACTIVE
    if not (is_active and schedule.next_due_at and schedule.next_due_at <= now):
        return
    whole = with_content(Schedule.objects.all()).get(pk=schedule.pk)
    exceptions = HolidayException.table(whole.holiday_country)
    changes = changes_of([whole]).get(whole.pk, NO_CHANGES)
    installation = Installation.objects.present()
    skip_until = installation.skip_until if installation else None
    freeze_one = partial(freeze_or_skip, whole, now=now, skip_until=skip_until)
    while whole.next_due_at and whole.next_due_at <= now:
        coming, whole.next_due_at = coming_until(whole, now, exceptions, changes)
        new = write_new([freeze_one(*each) for each in coming], now)
        # Afterwards: of the counter there is one row for all workers.
        transaction.on_commit(partial(Counter.add, Counter.Name.MISSED, count_missed(new)))
    schedule.next_due_at = whole.next_due_at


def withdraw(schedule: Schedule, now: datetime) -> int:
    """Remove the runs that are still to come; returns how many. What is due already, but was
    not handed over yet, is not made to vanish: the caller lets it go or cancels it.

    A worker that holds one of their deliveries loses its claim here and so cannot pass the
    mark before the wire. A run that has begun is finished as it was: never half old, half new.
    The schedule is locked by the caller.
    """
    # A run that was skipped ahead of its time goes too: an edit may have removed the reason.
    return _withdraw(_to_come(schedule, now))


def withdraw_one(schedule: Schedule, appointed_at: datetime, now: datetime) -> bool:
    """The same of one occurrence. Returns whether nothing of it is there now: neither a run that
    has begun, nor one whose time has come."""
    own = appointed_runs(schedule).filter(at=appointed_at)
    _withdraw(_to_come(schedule, now).filter(pk__in=list(own.values_list("pk", flat=True))))
    return not own.filter(trigger=Run.Trigger.TIMING).exists()


def withdraw_from(schedule: Schedule, since: datetime, now: datetime) -> dict[datetime, datetime]:
    """The same of the occurrences from one on. Returns those that stand, as they have begun or
    gone: by when their rule appointed them, when they were due."""
    own = appointed_runs(schedule).filter(at__gte=since)
    _withdraw(_to_come(schedule, now).filter(pk__in=list(own.values_list("pk", flat=True))))
    return dict(own.filter(trigger=Run.Trigger.TIMING).values_list("at", "due_at"))


def appointed_runs(schedule: Schedule) -> Any:
    """Its runs, with when its rule has them as `at`."""
    return appointed_runs_of([schedule.pk])


def appointed_runs_of(schedule_ids: Collection[int]) -> Any:
    """The same of several."""
    runs = Run.objects.annotate(at=Coalesce("first_due_at", "due_at"))
    return runs.filter(schedule__in=schedule_ids)


def begun() -> Exists:
    """Of a query of runs: whether a delivery of each was handed over, or is marked to be."""
    deliveries = Delivery.objects.filter(run=OuterRef("pk"))
    return Exists(deliveries.exclude(started_at=None, wire_at=None))


def has_begun(schedule: Schedule, now: datetime) -> bool:
    """Whether an open run of it would stay if those to come were withdrawn."""
    to_come = _to_come(schedule, now).exclude(begun())
    return schedule.runs.filter(state__in=OPEN_RUN).exclude(pk__in=to_come).exists()


def _to_come(schedule: Schedule, now: datetime) -> QuerySet[Run]:
    return Run.objects.filter(
        schedule=schedule,
        state__in=(RunState.PLANNED, RunState.SKIPPED),
        trigger=Run.Trigger.TIMING,
        due_at__gt=now,
    )


def _withdraw(runs: QuerySet[Run]) -> int:
    # Deliveries before runs, as the settling worker locks them: else each waits for the other.
    deliveries = (
        Delivery.objects.filter(run__in=runs).order_by("id").select_for_update(of=("self",))
    )
    begun = {d.run_id for d in deliveries if d.started_at or d.wire_at}
    withdrawn = runs.exclude(pk__in=begun)
    count = withdrawn.count()
    withdrawn.delete()
    return count


def cancel_due(schedule: Schedule, now: datetime) -> None:
    """Cancel runs that are due but of which nothing has left; others go on to their end."""
    cancel_waiting(Run.objects.filter(schedule=schedule, state=RunState.PLANNED), now)


def cancel_rest(schedule: Schedule, now: datetime) -> None:
    """Cancel what is planned of runs that have begun; what is on the wire comes to its end."""
    cancel_waiting(Run.objects.filter(schedule=schedule, state__in=OPEN_RUN), now)


def call_back(runs: QuerySet[Run], now: datetime) -> int:
    """Take back what still waits for a phone to fetch it: the next question tells its run.
    Returns how many it will never fetch."""
    asked = Delivery.objects.with_phones().filter(run__in=runs)
    waiting = list(asked.values_list("pk", "key", "part"))
    if not waiting:
        return 0
    withdrawn = pull.withdraw([part_key(key, part) for _pk, key, part in waiting], now)
    asked.filter(pk__in=[pk for pk, _key, _part in waiting]).update(confirm_at=now)
    return withdrawn


def cancel_waiting(open_runs: QuerySet[Run], now: datetime) -> int:
    """Cancel what has not left of these runs; returns how many deliveries. What waits for another
    try after a lost answer may have arrived: it is not confirmed."""
    # In the order in which the settling worker locks them.
    held = Delivery.objects.filter(run__in=open_runs, state__in=OPEN_DELIVERY).order_by("id")
    list(held.select_for_update(of=("self",)).only("id"))
    # Asked under the lock: one that has begun meanwhile may no longer be among them.
    run_ids = list(open_runs.values_list("pk", flat=True))
    mine = Delivery.objects.filter(run__in=run_ids)
    waiting = mine.filter(state=DeliveryState.SENDING, wire_at=None)
    move(waiting, DeliveryState.PLANNED, claim=None, lease_until=None)
    planned = mine.filter(state=DeliveryState.PLANNED)
    doubtful = planned.filter(in_doubt=True)
    asked = list(doubtful.defer("members"))
    move(doubtful, DeliveryState.UNCONFIRMED, completed_at=now, error=IN_DOUBT)
    alerts.raise_all(warn.of_rows(asked, AlertKind.UNCONFIRMED, now), now)
    count = move(planned, DeliveryState.CANCELLED, completed_at=now)
    add_up(run_ids, now)
    return count


def refuse_twice_a_day(schedule: Schedule, timing: Timing, now: datetime) -> None:
    """Raises Refused where one that leaves at this moment would come once more on the same day by
    this new timing: whoever moves it means one message. Asked once the runs to come are withdrawn.
    """
    coming = next_occurrence(timing, now) if timing.kind in ONCE_A_DAY else None
    if coming is None:
        return
    zone = ZoneInfo(timing.zone)
    leaving = appointed_runs(schedule).filter(trigger=Run.Trigger.TIMING, state__in=OPEN_RUN)
    days = {at.astimezone(zone).date() for at in leaving.values_list("at", flat=True)}
    if coming.due_at.astimezone(zone).date() in days:
        raise Refused(
            _("It is being sent at this moment. Wait for that to end, then edit it, or cancel it.")
        )


def next_time(schedule: Schedule, now: datetime) -> datetime | None:
    """The next time of one whose timing has changed. What is due by now but not yet planned, as
    after an outage, stays due; what is paused has none."""
    if schedule.state == ScheduleState.PAUSED:
        return None
    if schedule.next_due_at and schedule.next_due_at <= now:
        return schedule.next_due_at
    return find_next(schedule, now)


def find_next(schedule: Schedule, now: datetime) -> datetime | None:
    """The next time that is neither past nor already made into a run."""
    runs = Run.objects.filter(schedule=schedule, trigger=Run.Trigger.TIMING, due_at__gt=now)
    kept = set(runs.values_list("due_at", flat=True))
    exceptions = HolidayException.table(schedule.holiday_country)
    changes = OccurrenceChange.of(schedule, now)
    coming = changed_occurrences(schedule.timing, now, exceptions=exceptions, changes=changes)
    return next((one.due_at for one in coming if one.due_at not in kept), None)
