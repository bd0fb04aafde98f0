"""What `bench move` does within its installation: an agency with all its branches comes under
another distributor, while others send. Run by config.bench.inside."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Self

from django.db import connection, connections, transaction

from config.bench import tables
from config.bench.claim_work import claim_now, settle_as_sent
from config.bench.phase import say
from config.bench.watch import milliseconds, seconds
from logs.models import History
from orgs.clock import database_now
from orgs.models import Member, Unit, User
from orgs.reach import Role, under
from schedules.actions.move_unit import move_unit
from schedules.models import Delivery, Schedule

DUE = 20  # deliveries that others claim and settle at a time
ALONE = 30  # times that they do so before the move
EVERY = 0.05  # seconds between two times
ENTRY_EVERY = 10  # deliveries for which there is an entry of the history


def work(*, deliveries: int) -> dict[str, Any]:
    """Fill the tables with deliveries of one agency, then move it."""
    top, old, new = _units()
    agency = Unit.objects.plant(old, kind="agency", code="moves", name="Moves", zone="UTC")
    moving, staying = tables.plant(above=agency), tables.plant(above=new)
    filling = seconds(lambda: _fill(moving, deliveries))
    boss = User.objects.create(username="boss")
    Member.objects.create(user=boss, unit=top, role=Role.MANAGER)
    alone = [_send(staying) for _ in range(ALONE)]
    spent = Spent()
    with (
        Beside(lambda: _send(staying)) as others,
        Beside(lambda: _hold(moving.schedules[0])) as own,
        connection.execute_wrapper(spent),
    ):
        took = seconds(lambda: move_unit(agency, to=new, by=boss))
    agency.refresh_from_db()
    return {
        "deliveries": under(agency, Delivery.objects.all()).count(),
        "fill_s": round(filling, 1),
        "move_s": round(took, 1),
        "updates_s": spent.figures(),
        "others_alone_ms": milliseconds(alone),
        "others_meanwhile_ms": milliseconds(others.times),
        "own_schedule_ms": milliseconds(own.times),
    }


class Beside:
    """Something done again and again on a connection of its own; `times`: the seconds of each."""

    def __init__(self, once: Callable[[], float]) -> None:
        self.times: list[float] = []
        self._once, self._is_over = once, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: Any) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._is_over.wait(EVERY):
                self.times.append(self._once())
        finally:
            connections.close_all()


class Spent:
    """The seconds of updates, by table."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        if not sql.startswith('UPDATE "'):
            return execute(sql, *rest)
        found: list[Any] = []
        self._seconds[sql.split('"')[1]] += seconds(lambda: found.append(execute(sql, *rest)))
        return found[0]

    def figures(self) -> dict[str, float]:
        """The longest first, without what is less than a hundredth of all."""
        least = sum(self._seconds.values()) / 100
        longest = sorted(self._seconds.items(), key=lambda pair: -pair[1])
        return {table: round(took, 3) for table, took in longest if took >= least}


def _units() -> tuple[Unit, Unit, Unit]:
    add = Unit.objects.plant
    top = add(kind="headquarters", code="bench", name="Bench", zone="UTC")
    old, new = (add(top, kind="distributor", code=code, name=code, zone="UTC") for code in "ab")
    return top, old, new


def _fill(place: tables.Place, deliveries: int) -> None:
    tables.fill_deliveries(place, deliveries, database_now(), say)
    path = place.schedules[0].unit.path
    entry = History(at=database_now(), verb="updated", kind="schedule", unit_path=path, place=path)
    source = "generate_series(1, %s) entry(number)"
    tables.insert_select(entry, {"object_id": "number"}, source, [deliveries // ENTRY_EVERY])
    tables.settle_down()


def _send(place: tables.Place) -> float:
    """The seconds in which what others have due is claimed and settled."""
    tables.add_due(place, DUE, database_now())
    return seconds(lambda: settle_as_sent(claim_now(DUE)))


def _hold(schedule: Schedule) -> float:
    """The seconds that a person waits who edits a schedule of the unit."""

    def hold() -> None:
        with transaction.atomic():
            Schedule.objects.select_for_update().get(pk=schedule.pk)

    return seconds(hold)
