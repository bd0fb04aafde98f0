"""What a freeze holds back: of schedules, and of a run."""

from collections.abc import Iterable

from django.db.models import Q

from channels.models import Room
from orgs.reach import under
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
