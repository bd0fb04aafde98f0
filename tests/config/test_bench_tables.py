"""The benches of claiming and planning: what they fill tables with, and that they measure the
dispatcher's own steps."""

import json
import os
from argparse import ArgumentTypeError
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from config.bench import (
    claim,
    claim_work,
    log,
    move,
    move_work,
    pages,
    pages_work,
    plan,
    plan_work,
    tables,
)
from config.bench.orm import through_the_orm
from config.bench.watch import explained, milliseconds, undone
from logs.models import Attempt, Punctuality
from orgs.clock import database_now
from orgs.reach import within
from schedules.dispatch.claim import claim as claim_due
from schedules.models import Delivery, Run, Schedule
from schedules.outcomes.read import found_since

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def quietly(_text: str) -> None:
    pass


@pytest.fixture
def place(db) -> tables.Place:
    return tables.plant()


def test_a_year_of_deliveries_is_mostly_sent_and_a_little_is_to_come(place):
    tables.fill_deliveries(place, 20_000, NOW, quietly)
    states = Counter(Delivery.objects.values_list("state", flat=True))
    assert states.total() == 20_000
    assert states["sent"] > 18_000
    assert 0 < states["failed"] < 1000
    assert states["planned"] == 200
    assert not Delivery.objects.due(NOW).exists()
    assert Delivery.objects.earliest("due_at").due_at < NOW - 0.99 * tables.YEAR
    assert Attempt.objects.count() == sum(states[one] for one in ("sent", "failed", "confirmed"))


def test_the_rows_are_those_of_several_units_accounts_and_priorities(place):
    tables.fill_deliveries(place, 1000, NOW, quietly)
    for column in ("unit_path", "account", "priority"):
        assert Delivery.objects.order_by().values(column).distinct().count() > 2


def test_what_is_made_due_is_due_and_of_the_size_that_was_asked_for(place):
    tables.fill_deliveries(place, 1000, NOW, quietly)
    for count in (7, 300):
        before = Delivery.objects.due(NOW).count()
        tables.add_due(place, count, NOW)
        assert Delivery.objects.due(NOW).count() - before == count
        Run.objects.filter(due_at__gt=NOW - tables.HOUR, due_at__lte=NOW).delete()


def test_schedules_are_active_and_have_a_room_each(place):
    ids = tables.fill_schedules(place, 50, NOW, quietly)
    made = Schedule.objects.filter(pk__in=ids, state="active", next_due_at__gte=NOW + tables.HOUR)
    assert made.count() == len(ids) == 50
    assert {schedule.rooms.count() for schedule in made} == {1}
    assert len({schedule.next_due_at for schedule in made}) == tables.HOURS


def test_a_year_of_a_headquarters_is_counted_as_far_back_as_pages_look(transactional_db) -> None:
    now = database_now()
    people = log.fill(400, now, quietly)
    assert Run.objects.count() == Delivery.objects.count() == 400
    assert Delivery.objects.filter(due_at__gt=now).count() == 0
    first = now - timedelta(days=56)
    for person in (people.headquarters, people.branch):
        rows = within(person, Delivery.objects.filter(due_at__gte=first))
        told = found_since(person, first, first).quarters.values()
        assert sum(counts.total for counts in told) == rows.count() > 0
    assert Punctuality.objects.exists()


def test_no_run_at_all_is_no_measurement() -> None:
    with pytest.raises(ValueError, match="one run"):
        pages.measure({"runs": 0, "turns": 1, "explain": False, "database": ""})


def test_claims_are_timed_with_something_due_and_with_nothing(place, monkeypatch):
    monkeypatch.setattr(claim_work, "NOTHING_DUE", 2)
    found = claim_work._claims(place, due=20, turns=1)
    assert found["claim_ms"]["worst"] >= found["claim_ms"]["median"] > 0
    assert found["nothing_due_ms"]["median"] > 0
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_the_orm_writes_the_same(place):
    columns = ("state", "claim", "part", "tries", "status", "request_id", "error", "parts")
    claim_work._plan_and_settle(place, 30)
    ours = list(Delivery.objects.order_by("id").values_list("room_id", *columns))
    attempts = Attempt.objects.count()
    with through_the_orm():
        claim_work._plan_and_settle(place, 30)
    both = list(Delivery.objects.order_by("id").values_list("room_id", *columns))
    assert both == ours + ours
    assert Attempt.objects.count() == 2 * attempts == 60
    assert set(Run.objects.values_list("state", "sent")) == {("sent", 3)}


def test_a_turn_plans_what_is_due_and_nothing_else(place):
    ids = tables.fill_schedules(place, 50, database_now(), quietly)
    for turn in range(2):
        assert plan_work._turn(ids, turn, due=5) > 0
    assert Run.objects.count() == 10
    assert Schedule.objects.filter(pk__in=ids, next_due_at__gt=database_now()).count() == 50


def test_plans_of_queries_are_shown_and_nothing_remains(place):
    now = database_now()
    tables.add_due(place, 10, now)
    lines = explained(lambda: claim_due(now, worker="bench", limit=5))
    assert any("deliveries_" in line for line in lines)
    assert not Delivery.objects.filter(state="sending").exists()


def test_what_is_undone_leaves_nothing(place):
    with undone():
        tables.add_due(place, 10, NOW)
    assert not Delivery.objects.exists()


def test_times_have_a_median_and_a_worst():
    assert milliseconds([0.003, 0.001, 0.0025]) == {"median": 2.5, "worst": 3.0}


def test_sizes_are_written_short():
    assert claim._sizes("500,10k, 5M") == [500, 10_000, 5_000_000]
    with pytest.raises(ArgumentTypeError):
        claim._sizes("10k,many")


def test_the_largest_is_compared_with_the_smallest():
    sizes = [
        {"table": 1_000_000, "claim_ms": {"median": 15.0}, "nothing_due_ms": {"median": 0.5}},
        {"table": 10_000, "claim_ms": {"median": 12.0}, "nothing_due_ms": {"median": 0.6}},
    ]
    found = claim._summed_up(sizes)
    assert [size["table"] for size in found["sizes"]] == [10_000, 1_000_000]
    assert (found["claim_largest_times"], found["nothing_due_ms"]) == (1.25, 0.6)


@pytest.mark.parametrize("options", [{"due": 150}, {"due": 0}, {"turns": 0}, {"table": [0]}])
def test_a_claim_of_nothing_is_not_measured(options):
    known = {"table": [100], "due": 100, "turns": 1, "rows": 0, "explain": False, "database": ""}
    with pytest.raises(ValueError, match="due"):
        claim.measure(known | options)


def test_schedules_must_be_enough_for_all_turns():
    options = {"schedules": 100, "due": 50, "turns": 2, "explain": False, "database": ""}
    with pytest.raises(ValueError, match="150 schedules"):
        plan.measure(options)


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_claims_are_measured_in_an_installation_of_their_own() -> None:
    sizes = ["--table", "200,400", "--due", "10", "--turns", "2", "--rows", "20"]
    found = bench("claim", *sizes, "--explain")
    assert [size["table"] for size in found["sizes"]] == [200, 400]
    assert found["claim_largest_times"] > 0
    assert all(size["plans"] and size["bulk"]["plan_us"] > 0 for size in found["sizes"])
    assert "plan_us" in claim.as_text(found)


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_pages_are_measured_for_a_headquarters_and_a_branch() -> None:
    found = bench("pages", "--runs", "200", "--turns", "1", "--explain")
    assert found["runs"] == 200
    people = [page["person"] for page in found["pages"]]
    assert people.count("headquarters") == people.count("branch") == len(pages_work.PAGES)
    assert all(page["queries"] and page["plans"] for page in found["pages"])
    assert "not confirmed" in pages.as_text(found)


@pytest.mark.processes
@pytest.mark.any_database
@pytest.mark.timeout(300)
def test_planning_is_measured_in_an_installation_of_its_own() -> None:
    found = bench("plan", "--schedules", "60", "--due", "5", "--turns", "1", "--explain")
    assert (found["few"]["registered"], found["many"]["registered"]) == (10, 60)
    assert found["many_times_few"]["turn_ms"] > 0
    assert "schedules_schedule" in plan.as_text(found)


@pytest.mark.processes
@pytest.mark.timeout(300)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_move_is_measured_beside_those_who_send() -> None:
    found = bench("move", "--deliveries", "400")
    assert found["deliveries"] == 400
    assert found["move_s"] > 0 and found["updates_s"]
    assert found["others_meanwhile_ms"]["worst"] > 0


def test_the_updates_of_a_quick_move_are_told_as_well():
    spent = move_work.Spent()
    for table in ("a", "b"):
        spent(lambda sql: 1, f'UPDATE "{table}" SET x = 1')
    assert spent.figures()


def test_a_move_is_not_measured_where_all_wait_for_it():
    with pytest.raises(ValueError, match="one writer"):
        move.measure({"deliveries": 1, "database": ""})


def bench(kind: str, *arguments: str) -> dict[str, Any]:
    """What the command prints, on the PostgreSQL of this test run where there is one."""
    server = os.environ.get("TEIJI_TEST_DATABASE_URL", "")
    said = StringIO()
    call_command("bench", kind, *arguments, "--database", server, "--json", stdout=said)
    found: dict[str, Any] = json.loads(said.getvalue())
    return found
