"""Quarters are counted once they are over and again when they change; figures are always those
of the deliveries."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Barrier, Thread
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from orgs.models import User
from schedules.models import Delivery, QuarterCount, QuartersCounted, Recount
from schedules.outcomes import keep
from schedules.outcomes.counts import QUARTER, quarter_of
from schedules.outcomes.keep import AGAIN_EVERY, OPEN_FOR, keep_up, note_changes
from schedules.outcomes.read import Sort, found_since
from schedules.states import OUTCOMES, DeliveryState
from schedules.totals import add_up
from tests.conftest import World

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 1, 12, 9, tzinfo=UTC)
LATER = NINE + QUARTER + OPEN_FOR  # when the quarter of nine o'clock may be counted
DAY = timedelta(days=1)

Logged = Callable[..., Delivery]


def count_up_to(now: datetime) -> None:
    while keep_up(now):
        pass
    keep_up(now)


def kept(**narrowed: Any) -> dict[str, dict[str, int]]:
    """By path, of the quarters that are kept."""
    return {
        path: dict(zip(OUTCOMES, numbers, strict=True))
        for path, *numbers in QuarterCount.objects.filter(**narrowed).values_list(
            "unit_path", *OUTCOMES
        )
    }


def sent(number: int) -> dict[str, int]:
    return {"sent": number, "failed": 0, "unconfirmed": 0, "skipped": 0}


def test_a_quarter_counts_for_its_unit_for_all_above_it_and_for_the_whole(
    world: World, logged: Logged
) -> None:
    keep_up(NINE)
    logged(world.xinyi, NINE)
    logged(world.tainan, NINE, "confirmed")
    count_up_to(LATER)
    both = {"", world.hq.path}
    one = {unit.path for unit in (world.north, world.taipei, world.xinyi)}
    one |= {world.south.path, world.tainan.path}
    assert kept() == {path: sent(2) for path in both} | {path: sent(1) for path in one}


def test_a_quarter_that_is_not_over_for_long_enough_is_not_counted(
    world: World, logged: Logged
) -> None:
    keep_up(NINE)
    logged(world.xinyi, NINE)
    count_up_to(LATER - timedelta(seconds=1))
    assert kept() == {}
    count_up_to(LATER)
    assert kept(unit_path="") == {"": sent(1)}


def test_tests_and_what_is_not_finished_are_not_counted(world: World, logged: Logged) -> None:
    keep_up(NINE)
    logged(world.xinyi, NINE, is_test=True)
    for state in ("planned", "sending", "cancelled"):
        logged(world.xinyi, NINE, state)
    count_up_to(LATER)
    assert kept() == {}


def test_a_room_for_tests_makes_its_deliveries_tests(
    world: World, planned: Callable[..., list[Delivery]]
) -> None:
    for room, is_test in ((world.room, False), (world.test_room, True)):
        assert [row.is_test for row in planned(rooms=[room])] == [is_test]


def test_a_run_keeps_its_type_when_its_schedule_changes(
    world: World, planned: Callable[..., list[Delivery]]
) -> None:
    row = planned(timing_kind="daily")[0]
    assert row.run.kind == "daily"


def test_what_is_decided_later_is_counted_anew(world: World, logged: Logged) -> None:
    keep_up(NINE)
    row = logged(world.xinyi, NINE, "unconfirmed")
    count_up_to(LATER)
    assert kept(unit_path="")[""]["unconfirmed"] == 1
    Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.SENT)
    add_up([row.run_id], LATER + DAY)
    count_up_to(LATER + DAY + AGAIN_EVERY)
    assert kept(unit_path="") == {"": sent(1)}
    assert not Recount.objects.exists()


def test_changes_in_what_is_still_open_need_not_be_noted(world: World, logged: Logged) -> None:
    row = logged(world.xinyi, NINE, "sending")
    add_up([row.run_id], NINE + timedelta(minutes=1))
    assert not Recount.objects.exists()


def test_a_change_that_is_noted_during_a_count_is_not_lost_with_an_earlier_one(
    world: World, logged: Logged
) -> None:
    """Each has a row of its own: the count removes those that it has seen."""
    keep_up(NINE)
    count_up_to(LATER)
    for _time in range(2):
        note_changes([NINE], LATER + DAY)
    assert Recount.objects.count() == 2


def test_a_log_that_was_there_before_is_caught_up_with_turn_by_turn(
    world: World, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep, "ROWS_A_TURN", 3)
    for day in range(5):
        for _number in range(2):
            logged(world.xinyi, NINE + 30 * day * DAY)
    now = NINE + 200 * DAY
    assert [keep_up(now) for _turn in range(5)] == [0, 2, 2, 1, 0]
    assert QuarterCount.objects.filter(unit_path="").count() == 5


def test_a_clock_that_was_put_back_opens_what_lies_ahead_again(
    world: World, logged: Logged
) -> None:
    keep_up(NINE)
    logged(world.xinyi, NINE)
    count_up_to(LATER)
    count_up_to(NINE)
    assert kept() == {}
    logged(world.xinyi, NINE)
    count_up_to(LATER)
    assert kept(unit_path="") == {"": sent(2)}


def test_with_nothing_to_do_one_question_is_asked(world: World) -> None:
    keep_up(NINE)
    with CaptureQueriesContext(connection) as queries:
        assert keep_up(NINE + timedelta(seconds=1)) == 0
    assert len(queries) == 1


def test_counting_asks_as_often_for_many_deliveries_as_for_one(
    world: World, logged: Logged
) -> None:
    keep_up(NINE)

    def asked(number: int, at: datetime) -> int:
        for place in range(number):
            logged(world.xinyi if place % 2 else world.tainan, at, channel=f"channel {place % 3}")
        with CaptureQueriesContext(connection) as queries:
            assert keep_up(at + QUARTER + OPEN_FOR) == 1
        return len(queries)

    alone = asked(1, NINE)
    assert asked(30, NINE + DAY) == alone


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_count_each_delivery_once(world: World, logged: Logged) -> None:
    keep_up(NINE)
    for number in range(20):
        logged(world.xinyi, NINE + number * QUARTER)
    now, at_once = LATER + 20 * QUARTER, Barrier(4)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            at_once.wait()
            for _turn in range(10):
                keep_up(now)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert QuarterCount.objects.filter(unit_path="", sent=1).count() == 20


def test_the_days_of_every_zone_are_sums_of_quarters() -> None:
    midnights = [
        datetime(2026, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for zone in available_timezones()
        for month in (1, 7)
    ]
    assert [at for at in midnights if quarter_of(at) != at] == []


# The property: whatever happens, and whenever one looks, the figures are those of the rows.

SINCE, EARLIER = NINE - DAY, NINE - 2 * DAY


def of_the_rows(user: User, path: str) -> tuple[dict, dict]:
    quarters: Counter = Counter()
    sorts: Counter = Counter()
    for row in Delivery.objects.filter(is_test=False).select_related("run"):
        outcome = next((n for n, states in OUTCOMES.items() if row.state in states), None)
        if outcome is None or not row.unit_path.startswith(path) or row.due_at < EARLIER:
            continue
        quarters[quarter_of(row.due_at), outcome] += 1
        if row.due_at >= SINCE:
            sorts[Sort(row.channel, row.run.kind, "immediate"), outcome] += 1
    return dict(quarters), dict(sorts)


def as_read(user: User) -> tuple[dict, dict]:
    found = found_since(user, SINCE, EARLIER)
    return tuple(
        {
            (key, name): getattr(counts, name)
            for key, counts in some.items()
            for name in OUTCOMES
            if getattr(counts, name)
        }
        for some in (found.quarters, found.sorts)
    )


@pytest.mark.parametrize("seed", range(6))
def test_figures_are_those_of_the_deliveries_whatever_happens(
    world: World, logged: Logged, seed: int
) -> None:
    chance = Random(seed)
    now = NINE - 3 * DAY
    units = [world.xinyi, world.tainan, world.north]
    states = ["planned", "sent", "confirmed", "failed", "unconfirmed", "skipped", "cancelled"]
    for _step in range(40):
        now += chance.choice([timedelta(0), timedelta(minutes=7), timedelta(hours=3)])
        for _number in range(chance.randrange(3)):
            late = chance.choice([timedelta(0), timedelta(minutes=20), timedelta(days=1)])
            row = logged(
                chance.choice(units), now - late, chance.choice(states),
                kind=chance.choice(["daily", "hand"]), channel=chance.choice(["line", "sandbox"]),
                is_test=chance.random() < 0.1,
            )  # fmt: skip
            note_changes([row.due_at], now)
        if (rows := list(Delivery.objects.all())) and chance.random() < 0.5:
            row = chance.choice(rows)
            Delivery.objects.filter(pk=row.pk).update(state=chance.choice(states))
            add_up([row.run_id], now)
        if chance.random() < 0.7:
            keep_up(now)
        if chance.random() < 0.3:
            _look(world)
    count_up_to(now + DAY)
    _look(world)
    assert QuartersCounted.objects.count() == 1


def _look(world: World) -> None:
    for name in ("hq", "south", "xinyi"):
        user = User.objects.get(username=name)
        assert as_read(user) == of_the_rows(user, getattr(world, name).path)


def test_who_reaches_nothing_reads_nothing(world: World, logged: Logged) -> None:
    keep_up(NINE)
    logged(world.xinyi, NINE)
    count_up_to(LATER)
    assert as_read(world.people["stranger"]) == ({}, {})
    assert as_read(world.people["tainan"]) == ({}, {})
    root = User.objects.create_superuser("root")
    assert as_read(root) == of_the_rows(root, "")
