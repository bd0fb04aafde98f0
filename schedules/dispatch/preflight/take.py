"""Take: which schedules are looked at now, each by one worker."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from schedules.models import Installation, Preflight, Schedule
from schedules.models.preflight import AHEAD
from schedules.runs.freeze import with_content

HOLD = timedelta(minutes=2)  # who holds one for longer is gone: a turn ends much sooner
SCHEDULES_A_TURN = 20


def take(now: datetime) -> list[Preflight]:
    """Take hold of what a person has asked for, and of what comes within AHEAD and was not looked
    at as it is. Each brings its schedule, with all that a run needs."""
    free = Q(taken_at=None) | Q(taken_at__lt=now - HOLD)
    wanted = list(Preflight.objects.filter(free, asked_at__isnull=False).order_by("asked_at")
                  [:SCHEDULES_A_TURN])  # fmt: skip
    if len(wanted) < SCHEDULES_A_TURN:
        wanted += _of(_coming(now)[: SCHEDULES_A_TURN - len(wanted)])
    mine = [row for row in wanted if _take(row, free, now)]
    if not mine:
        return []
    schedules = with_content(Schedule.objects.filter(pk__in=[row.pk for row in mine]))
    found = schedules.select_related("audience__unit").prefetch_related("rooms__unit").in_bulk()
    for row in mine:
        if row.pk in found:
            row.schedule = found[row.pk]
    return [row for row in mine if row.pk in found]


def _coming(now: datetime) -> QuerySet[Schedule]:
    """What is due soon and not looked at as it is; none behind a fence, where nothing is sent."""
    if Installation.objects.fenced():
        return Schedule.objects.none()
    near = Schedule.objects.present().to_plan(now + AHEAD).filter(next_due_at__gt=now)
    seen = Q(preflight__due_at=F("next_due_at"), preflight__revision=F("revision"))
    is_new = Q(preflight=None) | ~seen | Q(preflight__again_at__lte=now)
    is_free = Q(preflight__taken_at=None) | Q(preflight__taken_at__lt=now - HOLD)
    return near.filter(is_new, is_free).select_related("preflight")


def _of(schedules: Iterable[Schedule]) -> list[Preflight]:
    """Their rows; those that have none yet are given one."""
    found = list(schedules)
    new = [Preflight(schedule=row) for row in found if not hasattr(row, "preflight")]
    Preflight.objects.bulk_create(new, ignore_conflicts=True)
    return [*new, *(row.preflight for row in found if hasattr(row, "preflight"))]


def _take(row: Preflight, free: Q, now: datetime) -> bool:
    """Whether it is this worker's; of several that want it, one has it."""
    # Not one that another has looked at since it was read here.
    mine = Preflight.objects.filter(free, pk=row.pk, looked_at=row.looked_at)
    row.taken_at = now
    return bool(mine.update(taken_at=now))
