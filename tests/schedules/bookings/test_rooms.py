"""What a room bears holds over all plans together."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Room
from orgs.models import Unit
from schedules import actions, rules
from schedules.dispatch.plan import plan
from schedules.foreseen import foresee
from schedules.models import Delivery, Run

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)  # noon in Taipei, where xinyi is
DAY_LATE = NOON + timedelta(hours=11)  # 23:00


@pytest.fixture
def usual(world: Any) -> Room:
    """A room with the usual limits."""
    Room.objects.filter(pk=world.room.pk).update(min_interval_seconds=None, daily_cap=None)
    return Room.objects.get(pk=world.room.pk)


@pytest.fixture
def leaving(planned_at: Callable[..., list[Run]]) -> Callable[..., list[Delivery]]:
    """The deliveries of schedules that are due at this moment, in their order."""

    def make(due_at: datetime, *several: dict[str, Any]) -> list[Delivery]:
        runs = planned_at(due_at, *several)
        return [Delivery.objects.get(run=run) for run in runs]

    return make


def test_the_first_goes_at_its_second_and_the_next_thirty_seconds_later(
    usual: Room, leaving: Any
) -> None:
    deliveries = leaving(NOON, *({"text": f"Text {n}"} for n in range(3)))
    times = sorted(delivery.next_try_at for delivery in deliveries)
    assert times == [NOON, NOON + 30 * SECOND, NOON + 60 * SECOND]
    assert {delivery.due_at for delivery in deliveries} == {NOON}


def test_what_is_more_important_goes_first(usual: Room, leaving: Any) -> None:
    low, high = leaving(NOON, {"text": "a", "priority": 10}, {"text": "b", "priority": 90})
    assert (high.next_try_at, low.next_try_at) == (NOON, NOON + 30 * SECOND)


def test_a_later_plan_finds_what_an_earlier_one_has_taken(usual: Room, leaving: Any) -> None:
    leaving(NOON, {"text": "a"})
    (second,) = leaving(NOON + 10 * SECOND, {"text": "b"})
    assert second.next_try_at == NOON + 30 * SECOND


def test_fifty_one_messages_to_a_room_in_a_day_stop_at_fifty(usual: Room, leaving: Any) -> None:
    for number in range(51):
        (last,) = leaving(NOON + number * MINUTE, {"text": f"Text {number}"})
    taken = Delivery.objects.filter(room=usual)
    assert taken.filter(state="planned").count() == 50
    assert (last.state, last.reason) == ("skipped", "cap")
    run = Run.objects.get(pk=last.run_id)
    assert (run.state, run.reason) == ("skipped", "cap")
    Delivery.objects.filter(pk__in=taken[:2]).update(slot_at=NOON + timedelta(hours=12))
    (free,) = leaving(NOON + 52 * MINUTE, {"text": "what was moved to tomorrow"})
    assert free.state == "planned"
    (tomorrow,) = leaving(NOON + timedelta(hours=12, seconds=31), {"text": "tomorrow"})
    assert tomorrow.state == "planned"


def test_what_failed_or_was_cancelled_leaves_its_place_to_others(
    usual: Room, leaving: Any, world: Any
) -> None:
    Room.objects.filter(pk=usual.pk).update(daily_cap=1)
    (first,) = leaving(NOON, {"text": "a"})
    first.run.schedule.refresh_from_db()
    actions.cancel(first.run.schedule, by=world.people["hq"])
    (second,) = leaving(NOON + MINUTE, {"text": "b"})
    assert second.state == "planned"


def test_a_room_may_have_limits_of_its_own_or_none(usual: Room, leaving: Any) -> None:
    Room.objects.filter(pk=usual.pk).update(min_interval_seconds=0, daily_cap=0)
    deliveries = leaving(NOON, *({"text": f"Text {n}"} for n in range(60)))
    assert {delivery.next_try_at for delivery in deliveries} == {NOON}


def test_one_that_would_wait_longer_than_the_grace_says_so(
    usual: Room, leaving: Any, settings: Any
) -> None:
    settings.TEIJI_GRACE_SECONDS = 60
    deliveries = leaving(NOON, *({"text": f"Text {n}"} for n in range(4)))
    assert sorted((d.state, d.reason) for d in deliveries) == [
        ("planned", ""),
        ("planned", "busy"),
        ("planned", "busy"),
        ("skipped", "busy"),
    ]


@pytest.mark.parametrize("owner", ["room", "branch", "distributor"])
def test_quiet_hours_of_the_room_or_of_the_nearest_unit_move_it_to_their_end(
    usual: Room, leaving: Any, world: Any, owner: str
) -> None:
    night = {"quiet_from": time(22), "quiet_until": time(8)}
    Unit.objects.filter(pk=world.hq.pk).update(quiet_from=time(1), quiet_until=time(2))
    if owner == "room":
        Unit.objects.filter(pk=world.xinyi.pk).update(quiet_from=time(1), quiet_until=time(2))
        Room.objects.filter(pk=usual.pk).update(**night)
    else:
        unit = {"branch": world.xinyi, "distributor": world.north}[owner]
        Unit.objects.filter(pk=unit.pk).update(**night)
    (delivery,) = leaving(DAY_LATE, {"text": "a"})
    assert delivery.next_try_at == datetime(2026, 11, 26, 0, tzinfo=UTC)  # 8:00 in Taipei
    assert (delivery.due_at, delivery.reason) == (DAY_LATE, "quiet")


def test_of_all_times_of_one_night_only_the_last_goes(usual: Room, due: Any) -> None:
    Room.objects.filter(pk=usual.pk).update(quiet_from=time(22), quiet_until=time(8))
    grid = {"timing_kind": "interval", "every_minutes": 30, "date": None, "time": None}
    schedule = due(DAY_LATE, **grid)
    schedule.refresh_from_db()
    coming = rules.preview(schedule, DAY_LATE - SECOND, 19)
    foreseen = foresee(schedule, coming, DAY_LATE - SECOND)
    for occurrence in coming:
        plan(occurrence.due_at)
    went = list(Delivery.objects.order_by("due_at").values_list("state", "reason", "slot_at"))
    morning = datetime(2026, 11, 26, 0, tzinfo=UTC)  # 8:00 in Taipei
    assert went[:18] == [("skipped", "followed", None)] * 17 + [("planned", "quiet", morning)]
    assert went[18] == ("planned", "busy", morning + 30 * SECOND)
    told = [foreseen[occurrence.due_at][0] for occurrence in coming]
    assert [held.leaves_at for held in told] == [None] * 17 + [morning, morning + 30 * SECOND]
    run = Run.objects.order_by("due_at")[0]
    assert (run.state, run.reason) == ("skipped", "followed")


def test_a_schedule_may_leave_quiet_hours_out(usual: Room, leaving: Any) -> None:
    Room.objects.filter(pk=usual.pk).update(quiet_from=time(22), quiet_until=time(8))
    (delivery,) = leaving(DAY_LATE, {"text": "a", "on_quiet": "skip"})
    assert (delivery.state, delivery.reason) == ("skipped", "quiet")


def test_rooms_ask_as_many_questions_as_one(
    world: Any, due: Any, django_assert_max_num_queries: Any
) -> None:
    def questions(count: int, at: datetime) -> int:
        rooms = [
            Room.objects.create(
                unit=world.xinyi, account=world.sandbox, name=f"{at}{n}", address=f"{at}{n}"
            )
            for n in range(count)
        ]
        due(at, rooms=rooms)
        with CaptureQueriesContext(connection) as found:
            plan(at - 2 * SECOND)
        return len(found)

    assert questions(1, NOON) == questions(30, NOON + MINUTE)


def test_what_is_foreseen_is_what_is_planned(usual: Room, due: Any) -> None:
    Room.objects.filter(pk=usual.pk).update(quiet_from=time(22), quiet_until=time(8))
    due(DAY_LATE, text="other")
    schedule = due(DAY_LATE, text="mine")
    schedule.refresh_from_db()
    coming = rules.preview(schedule, NOON, 1)
    ((held,),) = foresee(schedule, coming, NOON).values()
    plan(DAY_LATE - 2 * SECOND)
    delivery = Delivery.objects.get(run__schedule=schedule)
    assert held.leaves_at == delivery.next_try_at
    assert (held.rooms, held.of) == (1, 1)


def test_quiet_hours_of_the_unit_hold_a_message_to_an_audience(
    world: Any, due: Any, make_audience: Any
) -> None:
    Unit.objects.filter(pk=world.xinyi.pk).update(quiet_from=time(22), quiet_until=time(8))
    schedule = due(DAY_LATE, rooms=[], audience=make_audience(3))
    plan(DAY_LATE - 2 * SECOND)
    (delivery,) = Delivery.objects.filter(run__schedule=schedule)
    assert delivery.next_try_at == datetime(2026, 11, 26, 0, tzinfo=UTC)
