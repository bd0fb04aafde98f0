"""Fills the tables of a scratch installation, on the server: a year of deliveries, a million
schedules. Imported where Django is set up."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction

from channels.models import Account, Room
from logs.models import Attempt
from orgs.bulk import insert
from orgs.models import Unit
from schedules.models import Delivery, Run, Schedule
from schedules.states import RunState, ScheduleState

ACCOUNTS = 4
ROOMS = 100  # of each run
PRIORITIES = (50, 50, 20, 50, 80)
TEXT = "定時 09:00"
HOUR, YEAR, AHEAD = timedelta(hours=1), timedelta(days=365), timedelta(days=30)
RUNS_AHEAD = 100  # one of so many runs is still to come
RUNS_AT_ONCE = 2000
HOURS = 24  # over which the schedules are spread

# Columns as SQL over a run r, a room m with its account a, and a number that looks random.
CHANCE = "((r.id * 7919 + m.id * 104729) %% 1000)"
DELIVERY = {
    "run_id": "r.id", "room_id": "m.id", "account_id": "m.account_id", "room_name": "m.name",
    "channel": "a.kind", "unit_path": "r.unit_path", "content_hash": "r.content_hash",
    "priority": "r.priority", "due_at": "r.due_at",
    "next_try_at": "r.due_at", "parts": "1",
    "state": "CASE WHEN r.state = 'planned' THEN 'planned'"
             f" WHEN {CHANCE} < 970 THEN 'sent' WHEN {CHANCE} < 985 THEN 'failed'"
             f" WHEN {CHANCE} < 995 THEN 'skipped' ELSE 'confirmed' END",
    "lateness_ms": f"{CHANCE} / 3", "started_at": "r.completed_at",
    "completed_at": "r.completed_at", "wire_at": "NULL",
}  # fmt: skip
# The same over a delivery d and its run r.
ATTEMPT = {
    "delivery_id": "d.id", "run_id": "d.run_id", "schedule_id": "r.schedule_id",
    "schedule_title": "r.title", "room_id": "d.room_id", "room_name": "d.room_name",
    "unit_path": "d.unit_path", "channel": "d.channel", "account_id": "d.account_id",
    "part": "0", "number": "1", "key": "d.key", "due_at": "d.due_at", "claimed_at": "d.due_at",
    "wire_at": "d.due_at", "answered_at": "d.due_at",
    "outcome": "CASE d.state WHEN 'failed' THEN 'refused' ELSE 'accepted' END",
}  # fmt: skip

Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Who sends, and to where."""

    schedules: list[Schedule]  # one of each unit
    rooms: list[Room]  # by turns those of one unit and account, then of the next


def plant(rooms: int = ROOMS, *, above: Unit | None = None) -> Place:
    """Units with a schedule each, accounts, and rooms; under a new headquarters unless said."""
    add, kind, prefix = Unit.objects.plant, "branch", f"{above.code}-" if above else ""
    if above is None:
        kind = "distributor"
        above = add(kind="headquarters", code="bench", name="Bench", zone="UTC")
    units = [
        add(above, kind=kind, code=f"{prefix}unit{number}", name=f"Unit {number}", zone="UTC")
        for number in range(ACCOUNTS)
    ]
    accounts = [Account(unit=unit, name=f"Of {unit}", kind="sandbox") for unit in units]
    insert(accounts, ids=True)
    turns = [(number, number % ACCOUNTS) for number in range(rooms)]
    found = [
        Room(
            min_interval_seconds=0,
            daily_cap=0,
            unit=units[turn],
            account=accounts[turn],
            name=f"Room {number}",
            address=f"{prefix}r{number}",
        )
        for number, turn in turns
    ]
    insert(found, ids=True)
    schedules = [Schedule(unit=unit, title=f"Notice of {unit}", zone="UTC") for unit in units]
    insert(schedules, ids=True)
    return Place(schedules, found)


def fill_deliveries(place: Place, count: int, now: datetime, say: Say) -> None:
    """So many deliveries, rounded up to whole runs, with their attempts: a year of them lies
    behind us, mostly sent, and some are planned for the weeks to come."""
    runs = -(-count // ROOMS)
    for start in range(0, runs, RUNS_AT_ONCE):
        some = range(start, min(start + RUNS_AT_ONCE, runs))
        with in_haste():
            times = [_due_at(number, number / runs, now) for number in some]
            _write(_runs(place, some, times, now), place.rooms[:ROOMS])
        say(f"{some.stop * ROOMS:,} of {runs * ROOMS:,} deliveries")


def add_due(place: Place, count: int, due_at: datetime) -> None:
    """So many planned deliveries, due then, over all accounts and priorities."""
    rooms = place.rooms[: min(count, ROOMS)]
    numbers = range(-(-count // len(rooms)))
    # A microsecond apart: a schedule has one run at a time.
    times = [due_at - timedelta(microseconds=number) for number in numbers]
    with transaction.atomic():
        _write(_runs(place, numbers, times, times[-1]), rooms)


def fill_schedules(place: Place, count: int, now: datetime, say: Say) -> range:
    """So many active daily schedules with one room each, none due within the hour. Returns
    their ids."""
    first = Schedule.objects.latest("id").pk + 1
    for hour in range(HOURS):
        numbers = count * hour // HOURS, count * (hour + 1) // HOURS
        if numbers[0] < numbers[1]:
            with in_haste():
                _write_schedules(place, numbers, now + HOUR + hour * HOUR, now)
        if hour % 6 == 5:
            say(f"{numbers[1]:,} of {count:,} schedules")
    return range(first, first + count)


def settle_down() -> None:
    """Let the database tidy up and learn what its tables hold, as in time it does by itself."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _due_at(number: int, share: float, now: datetime) -> datetime:
    if number % RUNS_AHEAD == 0:
        return now + HOUR + share * AHEAD
    return now - HOUR - (1 - share) * YEAR


def _runs(place: Place, numbers: range, times: Sequence[datetime], now: datetime) -> list[Run]:
    """A run at each time; those before `now` are over."""
    messages = [{"messages": [{"type": "text", "text": TEXT}]}]
    runs = []
    for number, due_at in zip(numbers, times, strict=True):
        schedule = place.schedules[number % len(place.schedules)]
        run = Run(
            schedule=schedule, due_at=due_at, planned_at=due_at, title=schedule.title, zone="UTC",
            unit_path=schedule.unit.path, priority=PRIORITIES[number % len(PRIORITIES)],
            content={"text": TEXT}, content_hash=f"{number:064x}", total=ROOMS,
            payloads={str(room.account_id): messages for room in place.rooms[:ACCOUNTS]},
        )  # fmt: skip
        if due_at < now:
            run.state, run.sent, run.completed_at = RunState.SENT, ROOMS, due_at
        runs.append(run)
    return runs


def _write(runs: list[Run], rooms: list[Room]) -> None:
    """The runs, each with a delivery to every room, and the attempts of what was tried."""
    insert(runs, ids=True)
    ends = [runs[0].pk, runs[-1].pk]
    source = (
        "schedules_run r CROSS JOIN channels_room m JOIN channels_account a ON a.id = m.account_id"
        " WHERE r.id BETWEEN %s AND %s AND m.id BETWEEN %s AND %s"
    )
    delivery = DELIVERY | {"key": random_uuid()}
    insert_select(Delivery(), delivery, source, [*ends, rooms[0].pk, rooms[-1].pk])
    source = (
        "schedules_delivery d JOIN schedules_run r ON r.id = d.run_id"
        " WHERE r.id BETWEEN %s AND %s AND d.state IN ('sent', 'failed', 'confirmed')"
    )
    insert_select(Attempt(), ATTEMPT, source, ends)


def _write_schedules(
    place: Place, numbers: tuple[int, int], due_at: datetime, now: datetime
) -> None:
    pattern = Schedule(
        unit=place.schedules[0].unit, zone="UTC", timing_kind="daily", time=due_at.time(),
        state=ScheduleState.ACTIVE, next_due_at=due_at, registered_at=now,
        created_at=now, updated_at=now,
    )  # fmt: skip
    last = Schedule.objects.latest("id").pk
    source = (
        "(WITH RECURSIVE n(i) AS (SELECT %s UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
        " SELECT i FROM n) numbers"
    )
    columns = {"uid": random_uuid(), "title": "'Notice ' || i", "text": "'Good morning ' || i"}
    insert_select(pattern, columns, source, [numbers[0], numbers[1] - 1])
    columns = {"schedule_id": "s.id", "room_id": f"{place.rooms[0].pk} + s.id %% {ROOMS}"}
    through = Schedule.rooms.through()
    insert_select(through, columns, "schedules_schedule s WHERE s.id > %s", [last])


def insert_select(
    pattern: models.Model, columns: Mapping[str, str], source: str, values: Sequence[Any]
) -> None:
    """Rows with these columns, as SQL over the source, and the rest as in the pattern."""
    fields: list[Any] = [f for f in pattern._meta.concrete_fields if not f.primary_key]
    rest = [field for field in fields if field.attname not in columns]
    chosen = [columns.get(field.attname, "%s") for field in fields]
    same = [field.get_db_prep_save(getattr(pattern, field.attname), connection) for field in rest]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {pattern._meta.db_table} ({names})"  # noqa: S608  (our own names)
            f" SELECT {', '.join(chosen)} FROM {source}",
            [*same, *values],
        )


def random_uuid() -> str:
    is_postgresql = connection.vendor == "postgresql"
    return "gen_random_uuid()" if is_postgresql else "lower(hex(randomblob(16)))"


@contextmanager
def in_haste() -> Iterator[None]:
    """One transaction that need not survive a crash, without checks of foreign keys where the
    server lets us: the rows are our own."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone()[0]:
                cursor.execute("SET LOCAL session_replication_role = replica")
        yield
