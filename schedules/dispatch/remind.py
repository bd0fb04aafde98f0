"""Remind: what waits for approval, and will be sent soon or as soon as they say yes, is told once
more to those who answer; later, while nobody does, to those above them, level by level. And what
was approved is looked at a day before: others may have changed what its placeholders stand for."""

from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind, Event
from orgs.models import Unit
from orgs.reach import lineage, under
from schedules import results
from schedules.actions.clearing import ask
from schedules.clearance import uncleared
from schedules.dispatch.expire import LONGEST
from schedules.models import Approval, Installation, Schedule
from schedules.runs.freeze import with_content
from schedules.states import ScheduleState

Stage = Approval.Stage
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AT_ONCE = 500


def remind(now: datetime) -> int:
    """Returns how many questions were told once more. Each worker may do so: of a question one
    does."""
    if Installation.objects.fenced():
        return 0
    is_near = Q(schedule__next_due_at__range=(now, now + DAY))
    is_held_up = Q(schedule__next_due_at=None, asked_at__gt=now - LONGEST)
    rows = Approval.objects.waiting().filter(is_near | is_held_up)
    rows = rows.filter(Q(stage__lt=Stage.ESCALATED) | Q(stage__lt=F("unit__depth")))
    told = 0
    for asked in rows.select_related("unit", "schedule__unit")[:AT_ONCE]:
        stage = stage_of(asked, now)
        told += stage > asked.stage and _tell(asked, stage, now)
    return told


def stage_of(asked: Approval, now: datetime) -> int:
    """How urgent it is: a reminder a day before, those above an hour before; of what was asked
    later than that, after a half and after three quarters of the time. What goes at once has no
    time of its own: there it is half an hour and two hours after it was asked. The levels above
    share what time is left by then."""
    reminded_at, escalated_at = _stages(asked)
    if now < escalated_at:
        return Stage.REMINDED if now >= reminded_at else Stage.ASKED
    levels = max(asked.unit.depth - 1, 1)
    left = max(_due_at(asked) - escalated_at, timedelta.resolution)
    return Stage.ESCALATED + min(levels * (now - escalated_at) // left, levels - 1)


def ask_again(now: datetime) -> int:
    """What goes within a day, and is no longer what was approved, waits again, while there is time
    to look at it. Returns how many there were."""
    near = Schedule.objects.going_before(now + DAY)
    demanding = list(Unit.objects.filter(approval=Unit.Approval.DEMANDED))
    if not demanding:
        return 0
    places: list[QuerySet[Schedule]] = [under(unit, near) for unit in demanding]
    found = uncleared(with_content(reduce(or_, places).order_by("next_due_at", "id"))[:AT_ONCE])
    return sum(_wait_again(pk, now) for pk in sorted(found))


@transaction.atomic
def _wait_again(pk: int, now: datetime) -> bool:
    rows = with_content(Schedule.objects.filter(pk=pk, state=ScheduleState.ACTIVE))
    row = rows.select_for_update(of=("self",)).first()
    if row is None or not uncleared([row]):
        return False
    ask(row, by=None, now=now)
    return True


@transaction.atomic
def _tell(asked: Approval, stage: int, now: datetime) -> bool:
    mine = Approval.objects.filter(pk=asked.pk, stage=asked.stage, asked_at=asked.asked_at)
    if not mine.update(stage=stage):
        return False
    units = _whom(asked, stage)
    alerts.raise_all([_event(asked, unit, stage) for unit in units], now)
    if stage >= Stage.ESCALATED:
        results.note_climbed(asked.schedule, asked, units, now)
    return True


def _whom(asked: Approval, stage: int) -> list[Unit]:
    """Those whom this stage tells, with the levels that were passed over since the last; above
    the top there is nobody, so that is told again."""
    if stage < Stage.ESCALATED:
        return [asked.unit]
    above = lineage(asked.unit.path)[-2::-1]  # the nearest first
    newly = above[max(asked.stage, Stage.REMINDED) - 1 : stage - 1]
    return list(Unit.objects.filter(path__in=newly).order_by("-depth")) or [asked.unit]


def _event(asked: Approval, unit: Unit, stage: int) -> Event:
    schedule = asked.schedule
    words = {"unit": schedule.unit.name, "title": schedule.title, "asked": asked.unit.name}
    return Event(
        kind=AlertKind.APPROVAL,
        subject=f"approvals:{unit.pk}:{stage}",
        unit_path=unit.path,
        key=f"{AlertKind.APPROVAL}:{asked.pk}:{_due_at(asked).isoformat()}:{stage}:{unit.pk}",
        name=unit.name,
        text=lambda: (
            _("%(unit)s: %(title)s waits for %(asked)s; unanswered it is not sent.") % words
        ),
        at=_due_at(asked),
    )


def _stages(asked: Approval) -> tuple[datetime, datetime]:
    """When it is told once more, and when to those above."""
    due_at, asked_at = asked.schedule.next_due_at, asked.asked_at
    if due_at is None:
        return asked_at + HOUR / 2, asked_at + 2 * HOUR
    whole = due_at - asked_at
    return max(due_at - DAY, asked_at + whole / 2), max(due_at - HOUR, asked_at + whole * 3 / 4)


def _due_at(asked: Approval) -> datetime:
    """Until when an answer lets it go."""
    return asked.schedule.next_due_at or asked.asked_at + LONGEST
