"""Roll back: what has not left is taken back. What a channel has taken stays there: none of ours
can unsend it, and the answer names them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from channels.adapters import registry
from logs import history
from orgs.clock import database_now
from orgs.reach import Act
from schedules.actions.locked import lock, run_of
from schedules.actions.refusal import Refused
from schedules.actions.replan import call_back, cancel_waiting
from schedules.models import Run, Schedule
from schedules.states import OPEN_RUN, SUCCESS, DeliveryState

GONE = (*SUCCESS, DeliveryState.SENDING, DeliveryState.UNCONFIRMED)


@dataclass(frozen=True)
class RolledBack:
    """What became of it: deliveries that were taken back, and by channel those that stay."""

    run: Run
    taken_back: int
    stays: dict[str, int]


@transaction.atomic
def rollback(schedule: Schedule, *, by: Any, run_id: int | None = None) -> RolledBack:
    """Take back what can be of a run: the latest whose time has come, unless one is named.
    Refused where nothing can be."""
    row = lock(schedule, by=by, act=Act.RUN)
    now = database_now()
    begun = row.runs.filter(due_at__lte=now).exclude(trigger=Run.Trigger.IMPORTED)
    run = run_of(row, run_id, begun)
    if run is None:
        raise Refused(_("No run of it has begun."))
    taken_back = _take_back(run, now)
    stays = _stays(run)
    if not taken_back:
        raise Refused(_refusal(stays))
    facts = {"run": run.pk, "taken_back": taken_back, "stays": stays}
    history.record("rolled_back", row, by=by, now=now, unit_path=row.unit.path, changes=facts)
    run.refresh_from_db()
    return RolledBack(run, taken_back, stays)


def _take_back(run: Run, now: datetime) -> int:
    mine = Run.objects.filter(pk=run.pk)
    return cancel_waiting(mine.filter(state__in=OPEN_RUN), now) + call_back(mine, now)


def _stays(run: Run) -> dict[str, int]:
    gone = run.deliveries.filter(state__in=GONE).order_by()
    counts = gone.values_list("channel").annotate(count=Count("pk"))
    return dict(sorted(counts))


def _refusal(stays: dict[str, int]) -> str:
    if not stays:
        return _("There is nothing to take back.")
    adapters = registry()
    labels = [str(adapters[kind].label) if kind in adapters else kind for kind in stays]
    words = _("It has left. %(channels)s cannot take a message back once it was handed over.")
    return words % {"channels": ", ".join(labels)}
