"""Counting the attempts: each once, in the right day of each unit, whoever does it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from logs.models import Punctuality, Tally
from logs.stats import tally
from logs.stats.tally import SETTLED_AFTER, roll_up
from tests.conftest import World
from tests.logs.attempts import accepted

pytestmark = pytest.mark.django_db

# 00:30 on the 13th in Seoul, 23:30 on the 12th in Taipei.
LATE_EVENING = datetime(2026, 1, 12, 15, 30, tzinfo=UTC)


def count_all(now: datetime) -> int:
    """As workers do it: look, wait until all is settled, count."""
    roll_up(now)
    return roll_up(now + SETTLED_AFTER)


def counts() -> dict[tuple[str, date], int]:
    rows = Punctuality.objects.values_list("unit_path", "day", "count")
    return {(path, day): count for path, day, count in rows}


def test_a_delivery_counts_for_its_unit_for_all_above_it_and_for_the_whole(world: World):
    accepted(world.xinyi, LATE_EVENING, 120)
    assert count_all(LATE_EVENING) == 1
    seoul, taipei = date(2026, 1, 13), date(2026, 1, 12)
    assert counts() == {
        ("", seoul): 1,
        (world.hq.path, seoul): 1,
        (world.north.path, taipei): 1,
        (world.taipei.path, taipei): 1,
        (world.xinyi.path, taipei): 1,
    }


def test_what_was_counted_is_not_counted_again_and_what_is_new_is_added(world: World):
    accepted(world.xinyi, LATE_EVENING, 120)
    count_all(LATE_EVENING)
    hour = timedelta(hours=1)
    assert count_all(LATE_EVENING + hour) == 0
    accepted(world.xinyi, LATE_EVENING, 3_000)  # appointed for a day that was counted before
    assert count_all(LATE_EVENING + 2 * hour) == 1
    row = Punctuality.objects.get(unit_path=world.xinyi.path)
    assert (row.count, row.total_ms, row.worst[0][0]) == (2, 3_120, 3_000)
    assert Tally.objects.get().since_ever["line"]["count"] == 2


def test_only_the_accepted_first_part_is_counted(world: World):
    accepted(world.xinyi, LATE_EVENING, None, part=1)
    accepted(world.xinyi, LATE_EVENING, None, outcome="unknown")
    assert count_all(LATE_EVENING) == 0
    assert counts() == {}
    assert Tally.objects.get().counted_id > 0


def test_what_may_still_be_in_a_transaction_is_left_for_later(world: World):
    roll_up(LATE_EVENING)
    accepted(world.xinyi, LATE_EVENING)
    almost = LATE_EVENING + SETTLED_AFTER
    assert roll_up(almost) == 0  # only now it is seen
    assert roll_up(almost + SETTLED_AFTER - timedelta(seconds=1)) == 0
    assert roll_up(almost + SETTLED_AFTER) == 1


def test_a_clock_that_was_put_back_does_not_stop_the_counting(world: World):
    accepted(world.xinyi, LATE_EVENING)
    roll_up(LATE_EVENING + timedelta(hours=3))
    assert roll_up(LATE_EVENING) == 0
    assert roll_up(LATE_EVENING + SETTLED_AFTER) == 1


def test_a_long_outage_is_caught_up_with_turn_by_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tally, "ROWS_A_TURN", 3)
    for number in range(8):
        accepted(world.xinyi, LATE_EVENING, number)
    roll_up(LATE_EVENING)
    now = LATE_EVENING + SETTLED_AFTER
    assert [roll_up(now) for _turn in range(4)] == [3, 3, 2, 0]
    row = Punctuality.objects.get(unit_path=world.xinyi.path)
    assert (row.count, row.counts) == (8, {str(number): 1 for number in range(8)})


def test_a_unit_that_was_deleted_counts_in_the_zone_of_the_installation(
    world: World, settings: Any
):
    settings.TIME_ZONE = "UTC"
    accepted(world.xinyi, LATE_EVENING, unit_path="00ZZ")
    count_all(LATE_EVENING)
    assert counts()["00ZZ", date(2026, 1, 12)] == 1


def test_with_nothing_to_do_one_question_is_asked(world: World):
    roll_up(LATE_EVENING)
    with CaptureQueriesContext(connection) as queries:
        roll_up(LATE_EVENING + timedelta(seconds=1))
    assert len(queries) == 1


def test_counting_asks_as_often_for_many_attempts_as_for_one(world: World):
    def asked(attempts: int, now: datetime) -> int:
        for number in range(attempts):
            accepted(world.xinyi, now, number, channel=f"channel {number % 3}")
        roll_up(now)
        with CaptureQueriesContext(connection) as queries:
            assert roll_up(now + SETTLED_AFTER) == attempts
        return len(queries)

    alone = asked(1, LATE_EVENING)
    assert asked(30, LATE_EVENING + timedelta(days=1)) == alone


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_count_each_attempt_once(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tally, "ROWS_A_TURN", 2)  # many turns, so that they meet
    for number in range(40):
        accepted(world.xinyi, LATE_EVENING, number)
    roll_up(LATE_EVENING)
    now, at_once = LATE_EVENING + SETTLED_AFTER, Barrier(4)

    def work() -> None:
        at_once.wait()
        for _turn in range(20):
            roll_up(now)

    _in_threads(4, work)
    while roll_up(now):
        pass
    assert Punctuality.objects.get(unit_path=world.xinyi.path).count == 40
    assert Tally.objects.get().since_ever["line"]["count"] == 40


@pytest.mark.django_db(transaction=True)
def test_several_workers_that_start_at_once_make_one_tally(world: World):
    at_once = Barrier(4)
    _in_threads(4, lambda: (at_once.wait(), roll_up(LATE_EVENING)))
    assert Tally.objects.count() == 1


def _in_threads(number: int, work: Callable[[], Any]) -> None:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _number in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
