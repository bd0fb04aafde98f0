"""What `bench claim` does within its installation: the dispatcher's own steps on tables of one
size. Run by config.bench.inside."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from channels.adapters.base import Receipt
from config.bench import tables
from config.bench.figures import ratio
from config.bench.orm import through_the_orm
from config.bench.phase import say
from config.bench.watch import explained, milliseconds, seconds, timed
from orgs.bulk import insert
from orgs.clock import database_now
from schedules.dispatch.claim import Claimed, claim
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Schedule
from schedules.states import DeliveryState, ScheduleState

WARM_UP = 2
NOTHING_DUE = 30  # times that this is asked
AT_ONCE = 500  # deliveries that a loop holds at most
SCHEDULES = 10  # over which the deliveries are spread that are planned and settled
SAMPLE = 1000  # deliveries for the ORM: ten thousand take it minutes


def work(*, table: int, due: int, turns: int, rows: int, explain: bool) -> dict[str, Any]:
    """Fill the tables, claim on them, then plan and settle `rows` deliveries (0: leave it)."""
    place = tables.plant(max(tables.ROOMS, rows // SCHEDULES))
    filling = seconds(lambda: tables.fill_deliveries(place, table, database_now(), say))
    tables.settle_down()
    found = {"table": table, "fill_s": round(filling, 1), **_claims(place, due, turns)}
    if explain:
        now = database_now()
        tables.add_due(place, due, now)
        found["plans"] = explained(lambda: claim(now, worker="bench", limit=due))
        settle_as_sent(claim_now(due))
    if rows:
        found["bulk"] = _bulk(place, rows)
    return found


def _claims(place: tables.Place, due: int, turns: int) -> dict[str, Any]:
    times = []
    for _ in range(WARM_UP + turns):
        tables.add_due(place, due, database_now())
        took, claimed = timed(lambda: claim_now(due))
        if len(claimed) != due:
            raise RuntimeError(f"{len(claimed)} of {due} were claimed.")
        times.append(took)
        settle_as_sent(claimed)
    idle = [seconds(lambda: claim_now(due)) for _ in range(NOTHING_DUE)]
    return {"claim_ms": milliseconds(times[WARM_UP:]), "nothing_due_ms": milliseconds(idle)}


def _bulk(place: tables.Place, rows: int) -> dict[str, Any]:
    """Microseconds for each delivery, beside what the same steps take when the ORM writes."""
    _plan_and_settle(place, min(rows, AT_ONCE))  # warm
    plan_us, settle_us = _plan_and_settle(place, rows)
    with through_the_orm():
        orm_plan_us, orm_settle_us = _plan_and_settle(place, min(rows, SAMPLE))
    return {
        "plan_us": plan_us,
        "plan_orm_us": orm_plan_us,
        "plan_orm_times": ratio(orm_plan_us, plan_us),
        "settle_us": settle_us,
        "settle_orm_us": orm_settle_us,
        "settle_orm_times": ratio(orm_settle_us, settle_us),
    }


def _plan_and_settle(place: tables.Place, rows: int) -> tuple[float, float]:
    schedules = _register(place, rows)
    planning, runs = timed(lambda: plan(database_now()))
    settling, settled = 0.0, 0
    while claimed := claim_now(AT_ONCE):
        took, count = timed(lambda: settle_as_sent(claimed))
        settling, settled = settling + took, settled + count
    planned = Delivery.objects.filter(run__schedule__in=schedules, state=DeliveryState.SENT)
    if runs != len(schedules) or settled != rows or planned.count() != rows:
        raise RuntimeError(f"{runs} runs were planned, {settled} of {rows} deliveries settled.")
    return round(planning / rows * 1e6, 1), round(settling / rows * 1e6, 1)


def _register(place: tables.Place, rows: int) -> list[Schedule]:
    """Schedules that are due now, with so many rooms in all. Each has its own content."""
    now = database_now()
    due_at = now.replace(microsecond=0)
    count = min(SCHEDULES, rows)
    schedules = [
        Schedule(
            unit=place.schedules[0].unit, title="Bench", text=f"定時 {uuid4()}", zone="UTC",
            timing_kind="once", date=due_at.date(), time=due_at.time(), registered_at=now,
            state=ScheduleState.ACTIVE, next_due_at=due_at,
        )
        for _ in range(count)
    ]  # fmt: skip
    insert(schedules, ids=True)
    through = Schedule.rooms.through
    insert(
        [
            through(
                schedule_id=schedules[number % count].pk, room_id=place.rooms[number // count].pk
            )
            for number in range(rows)
        ]
    )
    return schedules


def claim_now(limit: int) -> list[Claimed]:
    return claim(database_now(), worker="bench", limit=limit)


def settle_as_sent(claimed: Sequence[Claimed]) -> int:
    """As if the channel had taken all of them."""
    now = database_now()
    receipt = Receipt(status=200, request_id="bench", answer={"sentMessages": [{"id": "1"}]})
    return settle(
        [
            Outcome(
                c, takes_key=True, confirms=False, answered_at=now, handed_at=now, receipt=receipt
            )
            for c in claimed
        ]
    )
