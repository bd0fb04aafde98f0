"""What `bench plan` does within its installation: turns of the planner and of the sweep with so
many schedules registered. Run by config.bench.inside."""

from datetime import timedelta
from typing import Any

from config.bench import tables
from config.bench.phase import say
from config.bench.watch import explained, milliseconds, seconds, timed
from orgs.clock import database_now
from schedules.dispatch.plan import plan
from schedules.dispatch.sweep import sweep
from schedules.models import Run, Schedule

NOTHING_DUE = 20  # times that this is asked


def work(*, registered: int, due: int, turns: int, explain: bool) -> dict[str, Any]:
    """Register them, then plan `due` others of them in each turn."""
    place = tables.plant()
    now = database_now()
    filling, ids = timed(lambda: tables.fill_schedules(place, registered, now, say))
    tables.settle_down()
    found: dict[str, Any] = {"registered": registered, "fill_s": round(filling, 1)}
    found["nothing_due_ms"] = milliseconds([seconds(_plan_all) for _ in range(NOTHING_DUE)])
    found["sweep_ms"] = milliseconds([seconds(_sweep) for _ in range(NOTHING_DUE)])
    times = [_turn(ids, turn, due) for turn in range(turns)]
    found["turn_ms"] = milliseconds(times)
    found["run_us"] = round(min(times) / due * 1e6, 1)
    if explain:
        _make_due(ids, turns, due)
        now = database_now()
        found["plans"] = explained(lambda: plan(now)) + explained(lambda: sweep(now))
    return found


def _turn(ids: range, turn: int, due: int) -> float:
    """Seconds until all that is due is planned."""
    _make_due(ids, turn, due)
    before = Run.objects.count()
    took, planned = timed(_plan_all)
    if planned != due or Run.objects.count() - before != due:
        raise RuntimeError(f"{planned} of {due} runs were planned.")
    return took


def _make_due(ids: range, turn: int, due: int) -> None:
    """Others in each turn, spread over the table as they would be; due each day at this time."""
    due_at = database_now().replace(microsecond=0) + timedelta(seconds=1)
    step = len(ids) // due
    some = [ids[number * step + turn % step] for number in range(due)]
    Schedule.objects.filter(id__in=some).update(next_due_at=due_at, time=due_at.time())


def _plan_all() -> int:
    planned = 0
    while count := plan(database_now()):
        planned += count
    return planned


def _sweep() -> int:
    return sweep(database_now())
