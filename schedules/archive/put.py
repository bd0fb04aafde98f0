"""Moves the runs of a month out of the log into its file, a member at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from logs.models import Attempt, Tally
from logs.stats.tally import uncounted
from schedules.archive import files, lines
from schedules.archive.months import refuse_young, span
from schedules.archive.trouble import Trouble
from schedules.models import (
    ArchivedMonth,
    ArchivedRun,
    Delivery,
    LeftOpen,
    QuartersCounted,
    Run,
    RunPause,
)
from schedules.models.delivery import LEFT
from schedules.states import OPEN_DELIVERY, OPEN_RUN, DeliveryState

RUNS_A_MEMBER = 200
DELIVERIES_A_MEMBER = 2_000  # but for the run that alone has more
DELIVERIES_A_READ = 1_000
ROOMS_NAMED = 2_000  # characters of the rooms' names that searches look through
# What lists show of a run.
SHOWN = ("schedule_id", "due_at", "unit_path", "zone", "title", "trigger", "kind", "state",
         "reason", "total", "sent")  # fmt: skip

Progress = Callable[[int], None]
T = TypeVar("T")


@dataclass
class Moved:
    """What was taken out of the log, and how many runs of the month had to stay."""

    runs: int = 0
    deliveries: int = 0
    attempts: int = 0
    left: int = 0

    def add(self, other: "Moved") -> None:
        self.runs += other.runs
        self.deliveries += other.deliveries
        self.attempts += other.attempts


def put(month: date, *, now: datetime, progress: Progress) -> Moved:
    """Move all runs of the month that are over. Raises Trouble; what has moved until then has."""
    refuse_young(month, now)
    refuse_uncounted(month)
    ArchivedMonth.objects.get_or_create(month=month)
    moved = Moved()
    while some := _put_member(month):
        moved.add(some)
        progress(some.runs)
    moved.left = runs_of(month).count()
    if files.path_of(month).exists():
        files.write_manifest(month, facts_of(ArchivedMonth.objects.get(month=month)))
    return moved


def refuse_uncounted(month: date) -> None:
    """Raises Trouble while the figures that people see lack something of this month."""
    _start, end = span(month)
    quarters, tally = QuartersCounted.objects.first(), Tally.objects.first()
    is_counted = quarters is not None and quarters.until >= end
    if not is_counted or uncounted(tally).filter(answered_at__lt=end).exists():
        words = f"{month:%Y-%m} is not in the figures yet: workers count it once a minute."
        raise Trouble(f"{words} Start one, or wait until it has caught up.")


def runs_of(month: date) -> QuerySet[Run]:
    """The runs of this month that are in the log."""
    start, end = span(month)
    return Run.objects.filter(due_at__gte=start, due_at__lt=end)


def facts_of(month: ArchivedMonth) -> dict[str, Any]:
    """What the manifest says of the file."""
    names = ("bytes", "runs", "deliveries", "attempts")
    return {"month": str(month), **{name: getattr(month, name) for name in names}}


def _put_member(month: date) -> Moved | None:
    """One member's runs; None: none is left that may go."""
    with transaction.atomic():
        row = ArchivedMonth.objects.select_for_update().get(month=month)
        runs = _taken(month)
        if not runs:
            return None
        member = _Member(runs)
        place = files.append(month, row.bytes, member.lines())
        ArchivedRun.objects.bulk_create(member.archived(row, place))
        member.delete()
        row.bytes, row.removed_at = place.starts_at + place.length, None
        row.runs += member.moved.runs
        row.deliveries += member.moved.deliveries
        row.attempts += member.moved.attempts
        row.save()
    return member.moved


def _taken(month: date) -> list[Run]:
    """As many as one member holds, locked with their deliveries. What somebody works on, or a
    person has yet to decide, stays where it is."""
    undecided = Q(state=DeliveryState.UNCONFIRMED) & ~LEFT
    unsettled = Delivery.objects.filter(Q(state__in=OPEN_DELIVERY) | undecided)
    over = runs_of(month).exclude(state__in=OPEN_RUN)
    over = over.exclude(Exists(unsettled.filter(run=OuterRef("pk")))).order_by("due_at", "id")
    locked = over.select_for_update(skip_locked=True, of=("self",))[:RUNS_A_MEMBER]
    found: list[Run] = []
    for run in locked:
        if found and sum(one.total for one in (*found, run)) > DELIVERIES_A_MEMBER:
            break
        found.append(run)
    rows = Delivery.objects.filter(run__in=found).order_by("id")
    held = set(rows.select_for_update(skip_locked=True, of=("self",)).values_list("id", flat=True))
    worked_on = {run for id_, run in rows.values_list("id", "run_id") if id_ not in held}
    return [run for run in found if run.pk not in worked_on]


class _Member:
    """The runs of one member, while they move."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = sorted(runs, key=lambda run: run.pk)
        self._attempts: list[int] = []
        self._rooms: dict[int, dict[str, None]] = defaultdict(dict)  # names, in order
        self.moved = Moved(runs=len(runs))

    def lines(self) -> Iterator[bytes]:
        """Each run, then its deliveries, the worst first, each followed by its attempts."""
        by_run = groupby(self._deliveries(), key=lambda delivery: delivery.run_id)
        pk, rows = next(by_run, (None, iter(())))
        for run in self._runs:
            yield from lines.write("run", [run])
            if pk != run.pk:
                continue  # it had no room
            for delivery in rows:
                self._rooms[pk].setdefault(delivery.room_name)
                self.moved.deliveries += 1
                yield from lines.write("delivery", [delivery])
                yield from lines.write("attempt", delivery.tried)
            pk, rows = next(by_run, (None, iter(())))

    def _deliveries(self) -> Iterator[Any]:
        """By run, each with its attempts as `tried`."""
        rows = Delivery.objects.filter(run__in=self._runs).worst_first("run_id")
        for some in _parts(rows.iterator(DELIVERIES_A_READ)):
            attempts = self._attempts_of(some)
            for delivery in some:
                delivery.tried = attempts[delivery.pk]  # type: ignore[attr-defined]
                yield delivery

    def archived(self, month: ArchivedMonth, place: files.Place) -> list[ArchivedRun]:
        """A line of the list for each run; to be asked when all lines are written."""
        return [
            ArchivedRun(
                id=run.pk,
                month=month,
                **place._asdict(),
                rooms="\n".join(self._rooms[run.pk])[:ROOMS_NAMED],
                **{name: getattr(run, name) for name in SHOWN},
            )
            for run in self._runs
        ]

    def delete(self) -> None:
        """Take out of the log what is in the file, and nothing else."""
        deliveries = Delivery.objects.filter(run__in=self._runs)
        LeftOpen.objects.filter(delivery__in=deliveries).delete()
        RunPause.objects.filter(run__in=self._runs).delete()
        for some in _parts(self._attempts):
            Attempt.objects.filter(id__in=some).delete()
        deliveries.order_by().delete()
        Run.objects.filter(pk__in=[run.pk for run in self._runs]).delete()

    def _attempts_of(self, deliveries: Sequence[Delivery]) -> dict[int, list[Attempt]]:
        found: dict[int, list[Attempt]] = defaultdict(list)
        ids = [delivery.pk for delivery in deliveries]
        for attempt in Attempt.objects.filter(delivery_id__in=ids).order_by("id"):
            found[attempt.delivery_id].append(attempt)
            self._attempts.append(attempt.pk)
        self.moved.attempts = len(self._attempts)
        return found


def _parts(rows: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(rows)
    while some := list(islice(rest, DELIVERIES_A_READ)):
        yield some
