"""Warn: of what was not sent, or may not have been, administrators are told by alerts. What went
well raises nothing, and neither does what was somebody's wish."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _

from channels.adapters import registry
from channels.alerts import AlertKind, Event
from logs.said import retell
from schedules.models import Delivery, Run
from schedules.runs.frozen import Frozen
from schedules.states import DeliveryState, RunState

RUNS = "runs"  # the subject of all that was not sent

TOLD = {Delivery.Reason.REACH, Delivery.Reason.LEFT, Delivery.Reason.STOPPED,
        Delivery.Reason.MISSED, Delivery.Reason.UNFILLED}  # fmt: skip
RUNS_TOLD = {Run.Reason.MISSED, Run.Reason.NO_ROOM, Run.Reason.NO_RECIPIENT, Run.Reason.UNUSABLE,
             Run.Reason.FENCED, Run.Reason.QUOTA, Run.Reason.BUDGET,
             Run.Reason.UNAPPROVED}  # fmt: skip


def of_rows(
    rows: Sequence[Delivery], kind: AlertKind, now: datetime, error: str = ""
) -> list[Event]:
    """The alerts for deliveries that failed, or wait for a person, from now on."""
    titles = _titles(rows)
    return [
        Event(
            kind=kind,
            subject=f"account:{row.account_id}",
            unit_path=row.unit_path,
            key=f"{kind}:{row.pk}:{now.isoformat()}",
            name=partial(channel_named, row.channel),
            text=partial(line, titles.get(row.run_id, ""), row.room_name, error),
            at=row.due_at,
        )
        for row in rows
    ]


def of_planned(batch: Iterable[Frozen]) -> list[Event]:
    """The alerts for runs that were planned as skipped, and for the rooms that were left out of
    the others. Of what is planned as it should be nothing is asked."""
    asked = [frozen.run.pk for frozen in batch if _may_be_told(frozen)]
    return _of_runs(asked) if asked else []


def _may_be_told(frozen: Frozen) -> bool:
    left_out = any(row.state == DeliveryState.SKIPPED for row in frozen.deliveries)
    # Whether an audience has anybody, and fits, turns out when it is written.
    return left_out or frozen.run.reason in RUNS_TOLD or frozen.audience is not None


def _of_runs(stored: Sequence[int]) -> list[Event]:
    skipped = Run.objects.filter(pk__in=stored, state=RunState.SKIPPED, reason__in=RUNS_TOLD)
    events = [
        _of_run(run, partial(_why_skipped, run)) for run in skipped.defer("payloads", "content")
    ]
    gone = {event.key for event in events}
    left_out = Delivery.objects.filter(
        run__in=stored, state=DeliveryState.SKIPPED, reason__in=TOLD
    ).values_list("run_id", "reason")
    counts = Counter(left_out.order_by())
    rows = Run.objects.in_bulk({run_id for run_id, _reason in counts})
    for (run_id, reason), count in counts.items():
        event = _of_run(rows[run_id], partial(str, Delivery.Reason(reason).label), count)
        events += [] if event.key in gone else [event]
    return events


def _why_skipped(run: Run) -> str:
    return ": ".join(filter(None, [str(run.get_reason_display()), retell(run.detail)]))


def _of_run(run: Run, why: Callable[[], str], count: int = 1) -> Event:
    return Event(
        kind=AlertKind.MISSED,
        subject=RUNS,
        unit_path=run.unit_path,
        key=f"{AlertKind.MISSED}:{run.schedule_id}:{run.due_at.isoformat()}",
        name="",
        text=lambda: f"{run.title}: {why()}",
        at=run.due_at,
        count=count,
    )


def line(title: str, room: str, said: str) -> str:
    """What was to go where, and what is said of it, as it is stored."""
    said = retell(said)
    return f"{title} → {room}: {said}" if said else f"{title} → {room}"


def channel_named(kind: str) -> str:
    """The channel's name. The account's own is not within the reach of all who use it."""
    found = registry().get(kind)
    return str(found.label) if found else _("unknown channel")


def _titles(rows: Sequence[Delivery]) -> dict[int, str]:
    runs = Run.objects.filter(pk__in={row.run_id for row in rows})
    return dict(runs.values_list("pk", "title"))
