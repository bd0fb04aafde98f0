"""Fills a scratch installation as a headquarters of many branches leaves it after a year: each
schedule with its runs, each run with a delivery and its attempt, all of it counted. Imported where
Django is set up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from channels.models import Account, Room
from config.bench import tables
from logs.models import Attempt, Tally
from logs.stats.tally import SETTLED_AFTER, roll_up
from orgs.bulk import insert
from orgs.models import Member, Unit, User
from orgs.reach import Role
from schedules.models import Delivery, QuartersCounted, Run, Schedule
from schedules.outcomes.counts import quarter_of
from schedules.outcomes.keep import keep_up
from schedules.states import RunState, ScheduleState

DISTRIBUTORS = 10
BRANCHES = 20  # of each distributor
RUNS = 100  # of each schedule
KINDS = ("daily", "daily", "weekly", "once", "interval", "hand")
OPENING, QUARTERS = 8, 56  # the first hour of a day, and how many quarters of an hour it has
YEAR, DAY, QUARTER = timedelta(days=365), timedelta(days=1), timedelta(minutes=15)
COUNTED = 57 * DAY  # pages look no further back into what is counted
TIMED = 31 * DAY  # nor into how late it was
AT_ONCE = 5_000

# As tables.DELIVERY, over a run r with the one room m of its unit.
CHANCE = "(r.id * 7919 %% 1000)"
DELIVERY = tables.DELIVERY | {
    "channel": "CASE r.id %% 4 WHEN 0 THEN 'kakao' WHEN 1 THEN 'sandbox' ELSE 'line' END",
    "state": f"CASE WHEN {CHANCE} < 965 THEN 'sent' WHEN {CHANCE} < 980 THEN 'failed'"
             f" WHEN {CHANCE} < 982 THEN 'unconfirmed' WHEN {CHANCE} < 990 THEN 'skipped'"
             " ELSE 'confirmed' END",
}  # fmt: skip

Say = Callable[[str], None]


@dataclass(frozen=True)
class People:
    """Who looks: at everything, and at one branch."""

    headquarters: User
    branch: User


def fill(count: int, now: datetime, say: Say) -> People:
    """So many runs, deliveries and attempts, rounded up to whole schedules."""
    top, branches = _units()
    rooms = _rooms(top, branches)
    schedules = _schedules(branches, rooms, -(-count // RUNS), now)
    _fill_runs(schedules, now, say)
    say("counting")
    _count(now)
    return People(_person(top, Role.MANAGER), _person(branches[0], Role.OPERATOR))


def _units() -> tuple[Unit, list[Unit]]:
    add = Unit.objects.plant
    top = add(kind="headquarters", code="bench", name="Bench", zone="Asia/Seoul")
    branches = []
    for number in range(DISTRIBUTORS):
        above = add(top, kind="distributor", code=f"d{number}", name=f"D {number}", zone="UTC")
        for place in range(BRANCHES):
            code = f"b{number}-{place}"
            branches.append(add(above, kind="branch", code=code, name=f"Branch {code}"))
    return top, branches


def _rooms(top: Unit, branches: list[Unit]) -> list[Room]:
    account = Account.objects.create(unit=top, name="Shared", kind="sandbox", is_shared=True)
    rooms = [
        Room(unit=unit, account=account, name=f"Room of {unit}", address=unit.code)
        for unit in branches
    ]
    insert(rooms, ids=True)
    return rooms


def _schedules(
    branches: list[Unit], rooms: list[Room], count: int, now: datetime
) -> list[Schedule]:
    """By turns of each branch; nine of ten go on."""
    made = []
    for number in range(count):
        unit, is_active = branches[number % len(branches)], number % 10 != 0
        made.append(
            Schedule(
                unit=unit, title=f"Notice {number} of {unit}", text=f"Good morning {number}",
                timing_kind="daily", time=(_midnight(now) + _clock(number)).time(),
                zone="Asia/Seoul", registered_at=now, created_at=now, updated_at=now,
                state=ScheduleState.ACTIVE if is_active else ScheduleState.COMPLETED,
                next_due_at=_midnight(now) + DAY + _clock(number) if is_active else None,
            )
        )  # fmt: skip
    insert(made, ids=True)
    through = Schedule.rooms.through
    insert(
        [
            through(schedule_id=row.pk, room_id=rooms[number % len(rooms)].pk)
            for number, row in enumerate(made)
        ]
    )
    return made


def _fill_runs(schedules: list[Schedule], now: datetime, say: Say) -> None:
    """The oldest first, as the ids of a log grow."""
    runs = _runs(schedules, now)
    done, total = 0, len(schedules) * RUNS
    while some := list(islice(runs, AT_ONCE)):
        with tables.in_haste():
            _write(some, now)
        done += len(some)
        if done % (20 * AT_ONCE) == 0 or done == total:
            say(f"{done:,} of {total:,} runs")


def _runs(schedules: list[Schedule], now: datetime) -> Iterator[Run]:
    for turn in reversed(range(RUNS)):
        for number, schedule in enumerate(schedules):
            share = (turn + number % 100 / 100) / RUNS
            day = _midnight(now - DAY - share * (YEAR - 2 * DAY))
            due_at = day + _clock(number)
            yield Run(
                schedule=schedule, due_at=due_at, planned_at=due_at, completed_at=due_at,
                title=schedule.title, zone=schedule.zone, unit_path=schedule.unit.path,
                kind=KINDS[number % len(KINDS)], state=RunState.SENT, total=1, sent=1,
                content={"text": schedule.text}, content_hash=f"{schedule.pk:064x}",
                payloads={"1": [{"messages": [{"type": "text", "text": schedule.text}]}]},
            )  # fmt: skip


def _write(runs: list[Run], now: datetime) -> None:
    insert(runs, ids=True)
    ends = [runs[0].pk, runs[-1].pk]
    source = (
        "schedules_run r JOIN schedules_schedule s ON s.id = r.schedule_id"
        " JOIN channels_room m ON m.unit_id = s.unit_id"
        " JOIN channels_account a ON a.id = m.account_id WHERE r.id BETWEEN %s AND %s"
    )
    tables.insert_select(Delivery(), DELIVERY | {"key": tables.random_uuid()}, source, ends)
    source = (
        "schedules_delivery d JOIN schedules_run r ON r.id = d.run_id"
        " WHERE r.id BETWEEN %s AND %s AND d.state <> 'skipped'"
    )
    is_timed = runs[-1].due_at > now - TIMED
    late = {"lateness_ms": "d.lateness_ms" if is_timed else "NULL"}
    tables.insert_select(Attempt(), tables.ATTEMPT | late, source, ends)


def _count(now: datetime) -> None:
    """As the workers would have, as far back as pages look."""
    tables.settle_down()
    QuartersCounted.objects.create(until=quarter_of(now - COUNTED), turned_at=now)
    while keep_up(now):
        pass
    timed = Attempt.objects.filter(lateness_ms__isnull=False).order_by("id")
    first = timed.values_list("id", flat=True).first() or 1
    last = timed.values_list("id", flat=True).last() or 0
    Tally.objects.create(counted_id=first - 1, seen_id=last, seen_at=now - SETTLED_AFTER)
    while roll_up(now):
        pass
    tables.settle_down()


def _person(unit: Unit, role: Role) -> User:
    user = User.objects.create(username=unit.code, is_staff=True)
    Member.objects.create(user=user, unit=unit, role=role)
    return user


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _clock(number: int) -> timedelta:
    """When in the day this schedule goes."""
    return timedelta(hours=OPENING) + number * 37 % QUARTERS * QUARTER
