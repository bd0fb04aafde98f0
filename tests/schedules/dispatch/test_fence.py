"""A copy of the database, or one that was set back, sends nothing until a person says so."""

import shutil
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from logs.models import History
from orgs.clock import database_now
from schedules import place
from schedules.actions import register
from schedules.actions.fence import Trouble, put_up, stop
from schedules.dispatch import fence, known
from schedules.dispatch.fence import Fence
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.plan import plan
from schedules.dispatch.sweep import sweep
from schedules.models import Installation, Run
from tests.schedules.conftest import SECOND, claim_at
from tests.schedules.fencing import HOUR, fenced_by_the_machine, row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]


class Clock:
    """The three clocks that a worker looks at, as the test moves them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counted, self.walled, self.database = 1000.0, 5000.0, database_now()
        monkeypatch.setattr(fence, "database_now", lambda: self.database)
        self.watch = Fence(counter=lambda: self.counted, wall=lambda: self.walled)

    def go_on(self, *, counter: float = 0, wall: float = 0, database: float = 0) -> bool:
        """Whether sending is fenced after so many seconds on each."""
        self.counted, self.walled = self.counted + counter, self.walled + wall
        self.database += timedelta(seconds=database)
        return self.watch.look()


# What is no reason.


def test_a_new_database_is_free_and_known_from_then_on(restarted):
    assert not Fence().look()
    assert known.recall(row().uid).generation == row().generation == 1
    assert not restarted().look()
    assert row().generation == 2


def test_the_generation_grows_once_a_second_however_many_look():
    watches = [Fence() for _ in range(3)]
    for watch in watches:
        watch.look()
    before = row().generation
    for watch in watches:
        watch.look()
    assert row().generation == before
    Installation.objects.update(clock_at=database_now() - SECOND)
    for watch in watches:
        watch.look()
    assert row().generation == before + 1


def test_a_machine_that_knows_nothing_joins(restarted, machine):
    Fence().look()
    Installation.objects.update(generation=100_000)
    shutil.rmtree(machine / "installations")
    assert not restarted().look()


def test_a_new_database_on_a_machine_that_knew_another_is_free(restarted):
    known.remember(Installation().uid, 5)
    assert not restarted().look()
    assert not restarted().look()


def test_a_memory_that_cannot_be_read_or_written_is_no_reason(restarted, machine, settings):
    Fence().look()
    (machine / "installations" / f"{row().uid}.json").write_text("{")
    assert not restarted().look()
    settings.TEIJI_DATA_DIR = machine / "not there"
    assert not restarted().look()


def test_an_outage_is_none(restarted):
    Fence().look()
    Installation.objects.update(clock_at=database_now() - 48 * HOUR)
    assert not restarted().look()


# What is one.


def test_a_database_older_than_the_machine_saw_is_fenced(restarted):
    Fence().look()
    known.remember(row().uid, 500)
    assert restarted().look()
    assert (row().reason, row().generation) == ("restored", 500)


def test_a_database_older_than_this_process_saw_is_barred_before_the_next_look(planned):
    (delivery,) = planned()
    watch = Fence()
    watch.look()
    watch.look()
    (claimed,) = claim_at(delivery.due_at)
    Installation.objects.update(generation=F("generation") - 1)
    assert claim_at(delivery.due_at) == []
    assert mark_wire([claimed], delivery.due_at)[:2] == (set(), {})
    assert watch.look()


def test_a_database_at_another_place_is_fenced(restarted):
    Fence().look()
    here = row().place
    Installation.objects.update(place=dict.fromkeys(here, "another"))
    assert restarted().look()
    assert row().reason == "clone"


def test_a_table_that_was_made_anew_tells_of_a_restored_dump():
    recorded = {"cluster": "1", "database": "2", "table": "3"}
    assert place.differences(recorded, recorded | {"table": "4"}) == ["table"]
    assert place.differences(recorded, recorded | {"database": "4", "table": "3"}) == ["database"]


@pytest.mark.parametrize(
    ("recorded", "present", "found"),
    [
        ({"database": "2", "table": "3"}, {"cluster": "1", "database": "2", "table": "3"}, []),
        ({"file": "1", "path": "/a"}, {"file": "1", "path": "/b"}, []),
        ({"file": "1", "path": "/a"}, {"file": "2", "path": "/a"}, ["file"]),
        ({"file": "1", "path": "/a"}, {"cluster": "1"}, ["cluster", "file"]),
        ({}, {"file": "1"}, []),
        ({"file": "1"}, {}, []),
    ],
)
def test_only_what_both_sides_know_is_compared(recorded, present, found):
    assert place.differences(recorded, present) == found


def test_what_differs_is_told_in_words():
    recorded, present = {"file": "1", "path": "/a"}, {"file": "2", "path": "/b"}
    assert place.difference_in_words(recorded, present) == "file 1 → 2; path /a → /b"


def test_a_place_is_the_same_as_often_as_it_is_asked():
    assert place.present_place() == place.present_place()
    assert place.present_place()


def test_a_data_folder_that_was_copied_back_is_noticed(restarted, machine):
    Fence().look()
    path = machine / "installations" / f"{row().uid}.json"
    backup = path.read_text()
    known.remember(row().uid, row().generation)  # another file now
    path.write_text(backup)
    assert known.recall(row().uid).is_copied
    # PostgreSQL lies elsewhere: a machine's folder may be moved without it.
    assert restarted().look() == (connection.vendor == "sqlite")


def test_a_machine_of_another_installation_is_noticed(restarted, machine):
    Fence().look()
    Installation.objects.update(generation=100_000)
    shutil.rmtree(machine / "installations")
    known.remember(Installation().uid, 5)
    assert restarted().look()
    assert row().reason == "other"


@pytest.mark.parametrize(("hours", "is_fenced"), [(2, True), (0, False)])
def test_a_database_from_before_there_was_a_fence(planned, restarted, hours, is_fenced):
    """Without memory it is an upgrade; a machine that knows another one sees a restore."""
    planned()
    Run.objects.update(planned_at=database_now() - hours * HOUR)
    assert not restarted().look()
    Installation.objects.all().delete()
    assert restarted().look() == is_fenced


@pytest.mark.parametrize(("seconds", "is_fenced"), [(3, False), (7, True), (10_800, True)])
def test_a_clock_that_was_set_back_is_noticed_by_a_new_worker_too(restarted, seconds, is_fenced):
    Fence().look()
    Installation.objects.update(clock_at=database_now() + timedelta(seconds=seconds))
    assert restarted().look() == is_fenced
    assert row().reason == ("clock_back" if is_fenced else "")


@pytest.mark.parametrize(
    ("what", "moved", "is_fenced"),
    [
        ("an ordinary second", {"counter": 1, "wall": 1, "database": 1}, False),
        ("a busy minute", {"counter": 300, "wall": 300, "database": 300}, False),
        ("a suspended laptop", {"counter": 28_800, "wall": 28_800, "database": 28_800}, False),
        ("a virtual machine, paused", {"counter": 1, "wall": 9000, "database": 9000}, False),
        ("this machine's own clock, wrong", {"counter": 1, "wall": 7200, "database": 1}, False),
        ("this machine's own clock, back", {"counter": 1, "wall": -7200, "database": 1}, False),
        ("the database's clock, ahead", {"counter": 1, "wall": 1, "database": 10_800}, True),
        ("the database's clock, back", {"counter": 1, "wall": 1, "database": -10_800}, True),
    ],
)  # fmt: skip
def test_of_the_clocks_only_the_databases_counts(monkeypatch, what, moved, is_fenced):
    clock = Clock(monkeypatch)
    assert not clock.go_on()
    assert clock.go_on(**moved) == is_fenced, what


def test_a_worker_that_stood_still_while_others_worked_is_no_reason(monkeypatch):
    clock = Clock(monkeypatch)
    clock.go_on()
    Installation.objects.update(clock_at=clock.database + timedelta(seconds=598))
    assert not clock.go_on(counter=1, wall=1, database=600)


def test_a_process_that_is_stopped_between_two_clocks_makes_no_jump(monkeypatch):
    clock = Clock(monkeypatch)
    counts = iter([0.0, 90.0, 91.0, 91.0])  # 90 s between asking and having the answer
    watch = Fence(counter=lambda: next(counts), wall=lambda: 0.0)
    watch.look()
    clock.database += timedelta(seconds=91)
    Installation.objects.update(clock_at=clock.database - HOUR)
    assert not watch.look()


def test_who_has_just_started_does_not_vouch_for_a_jump(monkeypatch):
    clock = Clock(monkeypatch)
    clock.go_on()
    clock.database += 3 * HOUR
    assert not Fence().look()
    assert clock.go_on(counter=1, wall=1)


def test_after_hours_in_which_nobody_worked_the_second_look_tells_the_time(monkeypatch):
    clock = Clock(monkeypatch)
    clock.go_on()
    clock.watch, clock.database = Fence(), clock.database + 3 * HOUR
    assert not clock.go_on()
    assert row().clock_at < clock.database
    assert not clock.go_on(counter=1, wall=1, database=1)
    assert row().clock_at == clock.database


def test_a_worker_goes_by_a_time_only_once_it_was_judged(monkeypatch):
    clock = Clock(monkeypatch)
    clock.go_on()
    before = clock.database
    clock.database += 3 * HOUR
    assert clock.watch.clock.now() == before
    assert clock.go_on(counter=1, wall=1), "the fence stands first"
    assert clock.watch.clock.now() == clock.database


# What it does.


def test_nothing_is_claimed_while_fenced(planned):
    (delivery,) = planned()
    fenced_by_the_machine()
    assert claim_at(delivery.due_at) == []
    delivery.refresh_from_db()
    assert delivery.state == "planned"


def test_what_was_claimed_is_not_marked_and_goes_back(planned):
    (delivery,) = planned()
    (claimed,) = claim_at(delivery.due_at)
    fenced_by_the_machine()
    assert mark_wire([claimed], delivery.due_at)[:2] == (set(), {})
    assert Run.objects.get().state == "planned"
    sweep(delivery.due_at + HOUR)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.wire_at) == ("planned", None)


def test_nothing_is_planned_while_fenced(world, make_schedule):
    schedule = register(make_schedule(), by=world.people["xinyi"])
    due_at = schedule.next_due_at
    fenced_by_the_machine()
    assert plan(due_at) == 0
    schedule.refresh_from_db()
    assert (schedule.next_due_at, Run.objects.count()) == (due_at, 0)


def test_claiming_and_marking_ask_no_more_often_than_before(planned, django_assert_max_num_queries):
    (delivery,) = planned()
    Fence().look()
    with django_assert_max_num_queries(1):
        claim_at(delivery.due_at - HOUR)
    claimed = claim_at(delivery.due_at)
    with django_assert_max_num_queries(8):
        mark_wire(claimed, delivery.due_at)


def test_the_fence_is_in_the_history_and_put_up_once(world):
    fenced_by_the_machine("restored")
    assert not put_up(Trouble("clone"), now=database_now())
    entry = History.objects.get(verb="fenced")
    assert (entry.unit_path, entry.changes["reason"]) == (world.hq.path, "restored")


def test_a_graver_reason_shows_behind_a_persons_own(world):
    Fence().look()
    stop(by=world.people["hq"], note="wait")
    known.remember(row().uid, 500)
    assert Fence().look()
    assert row().reason == "restored"


def test_a_memory_that_another_worker_renews_meanwhile_is_no_copy(restarted, monkeypatch):
    Fence().look()
    uid, load = row().uid, known.json.load

    def slowly(file):
        said = load(file)
        known.remember(uid, said["generation"] + 1)
        return said

    monkeypatch.setattr(known.json, "load", slowly)
    assert not known.recall(uid).is_copied
