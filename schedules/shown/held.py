"""What a freeze holds back: of schedules, and of a run; and who held a run, for how long."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Coalesce

from channels.models import Room
from logs.models import Attempt
from orgs.reach import covers, under
from schedules.holds import Hold, Wait, held_for, holds_between
from schedules.models import Delivery, Freeze, Run, Schedule
from schedules.states import OPEN_RUN, DeliveryState, ScheduleState


def held_among(schedules: Iterable[Schedule]) -> set[int]:
    """The ids of those that would send, were it not that some of their places are frozen."""
    going = [row.pk for row in schedules if row.state == ScheduleState.ACTIVE]
    freezes = list(Freeze.objects.in_force().select_related("unit")) if going else []
    rows = Schedule.objects.filter(pk__in=going)
    held = Q(pk__in=[])
    for freeze in freezes:
        if freeze.unit is None:
            held |= Q(rooms__account=freeze.account_id) | Q(audience__account=freeze.account_id)
        else:
            held |= Q(rooms__in=under(freeze.unit, Room.objects.all()))
            held |= Q(audience__isnull=False, pk__in=under(freeze.unit, rows))
    return set(rows.filter(held).values_list("pk", flat=True)) if freezes else set()


def held_of(run: Run) -> int:
    """How many deliveries of the run wait for a freeze to be lifted."""
    if run.state not in OPEN_RUN:
        return 0
    rows = Delivery.objects.filter(run=run, state=DeliveryState.PLANNED)
    held = Q(pk__in=[])
    for freeze in Freeze.objects.in_force().select_related("unit"):
        if freeze.unit is None:
            held |= Q(account=freeze.account_id)
        else:
            held |= Q(room__in=under(freeze.unit, Room.objects.all()))
            held |= Q(room=None, pk__in=under(freeze.unit, rows))
    return rows.filter(held).count()


def holds_of(run: Run, now: datetime) -> list[Hold]:
    """What people held of the run when it was to leave, the first of them first."""
    holds = holds_between(run.due_at, run.completed_at or now, {run.pk})
    if not holds:
        return []
    rows = Delivery.objects.filter(run=run).order_by()
    began = rows.aggregate(at=Min(Coalesce("slot_at", "due_at")))["at"] or run.due_at
    late = [hold for hold in holds if hold.until is None or hold.until > began]
    return [hold for hold in late if hold.run_id or _among(rows, run, hold)]


def kept_of(
    deliveries: Iterable[Delivery], attempts: Mapping[int, Sequence[Attempt]], now: datetime
) -> dict[int, timedelta]:
    """By id, for how long each was held back so far, or before it left."""
    return held_for(
        Wait.of(row, row.account_id, _left_at(attempts[row.pk]) or row.completed_at or now)
        for row in deliveries
    )


def _left_at(attempts: Sequence[Attempt]) -> datetime | None:
    """When the try was handed over that the channel accepted first."""
    accepted = [a for a in attempts if a.part == 0 and a.outcome == Attempt.Outcome.ACCEPTED]
    return accepted[0].wire_at if accepted else None


def _among(rows: QuerySet[Delivery], run: Run, hold: Hold) -> bool:
    """Whether anything of the run goes through that account, or to that unit and those under it."""
    if hold.account_id:
        return rows.filter(account=hold.account_id).exists()
    if covers(hold.unit_path, run.unit_path):
        return True
    rooms = Room.objects.filter(pk__in=rows.values("room"))
    paths = rooms.values_list("unit__path", flat=True).distinct()
    return any(covers(hold.unit_path, path) for path in paths)
