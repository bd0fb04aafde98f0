"""Remind: what waits for approval, and will be sent soon or as soon as they say yes, is told once
more to those who answer; later to those above them. And what was approved is looked at a day
before: others may have changed what its placeholders stand for."""

from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind, Event
from orgs.models import Unit
from orgs.reach import under
from schedules.actions.clearing import ask
from schedules.clearance import uncleared
from schedules.dispatch.expire import LONGEST
from schedules.models import Approval, Installation, Schedule
from schedules.runs.freeze import with_content
from schedules.states import ScheduleState

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
    rows = rows.exclude(stage=Approval.Stage.ESCALATED)
    told = 0
    for asked in rows.select_related("unit", "schedule__unit")[:AT_ONCE]:
        stage = stage_of(asked, now)
        told += stage > asked.stage and _tell(asked, stage, now)
    return told


def stage_of(asked: Approval, now: datetime) -> int:
    """How urgent it is: a reminder a day before, those above an hour before; of what was asked
    later than that, after a half and after three quarters of the time. What goes at once has no
    time of its own: there it is half an hour and two hours after it was asked."""
    reminded_at, escalated_at = _stages(asked)
    if now >= escalated_at:
        return Approval.Stage.ESCALATED
    return Approval.Stage.REMINDED if now >= reminded_at else Approval.Stage.ASKED


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
    schedule, unit = asked.schedule, asked.unit
    if stage == Approval.Stage.ESCALATED:
        unit = Unit.objects.get_parent(unit) or unit
    words = {"unit": schedule.unit.name, "title": schedule.title, "asked": asked.unit.name}
    event = Event(
        kind=AlertKind.APPROVAL,
        subject=f"approvals:{unit.pk}:{stage}",
        unit_path=unit.path,
        key=f"{AlertKind.APPROVAL}:{asked.pk}:{_due_at(asked).isoformat()}:{stage}",
        name=unit.name,
        text=lambda: (
            _("%(unit)s: %(title)s waits for %(asked)s; unanswered it is not sent.") % words
        ),
        at=_due_at(asked),
    )
    alerts.raise_all([event], now)
    return True


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
