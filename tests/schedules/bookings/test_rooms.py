"""What a room bears holds over all plans together."""

import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from channels.models import Room
from orgs.models import Unit
from schedules import actions, rules
from schedules.dispatch.plan import plan
from schedules.foreseen import foresee, times_to_come
from schedules.models import Delivery, Run, Schedule
from tests.schedules.at_once import before_statement, on_postgresql, outcome_of

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


@pytest.mark.parametrize("owner", ["room", "branch", "agency"])
def test_a_room_or_unit_may_be_never_quiet_below_one_that_is(
    usual: Room, leaving: Any, world: Any, owner: str
) -> None:
    Unit.objects.filter(pk=world.hq.pk).update(quiet_from=time(22), quiet_until=time(8))
    row = {"room": usual, "branch": world.xinyi, "agency": world.taipei}[owner]
    type(row)._default_manager.filter(pk=row.pk).update(never_quiet=True)
    (delivery,) = leaving(DAY_LATE, {"text": "a"})
    assert (delivery.next_try_at, delivery.reason) == (DAY_LATE, "")


def test_below_one_that_is_never_quiet_there_may_be_quiet_hours(
    usual: Room, leaving: Any, world: Any
) -> None:
    Unit.objects.filter(pk=world.taipei.pk).update(never_quiet=True)
    Unit.objects.filter(pk=world.xinyi.pk).update(quiet_from=time(22), quiet_until=time(8))
    (delivery,) = leaving(DAY_LATE, {"text": "a"})
    assert delivery.reason == "quiet"


@pytest.mark.parametrize("model", [Room, Unit])
def test_quiet_hours_and_none_at_once_are_refused(world: Any, model: Any) -> None:
    row = {Room: world.room, Unit: world.xinyi}[model]
    row.never_quiet, row.quiet_from, row.quiet_until = True, time(22), time(8)
    with pytest.raises(ValidationError, match="not both"):
        row.full_clean()
    with pytest.raises(IntegrityError):
        row.save()


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        # 23:00 to 8:00, in the night in which the clocks are put back: an hour more.
        ("America/New_York", "2026-11-01T03:00Z 2026-11-01T13:00Z"),
        # In the night in which they are put forward: an hour less.
        ("America/New_York", "2027-03-14T04:00Z 2027-03-14T12:00Z"),
        ("Asia/Seoul", "2027-03-14T14:00Z 2027-03-14T23:00Z"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall_also_where_it_changes(
    usual: Room, leaving: Any, world: Any, zone: str, night: str
) -> None:
    hours = {"quiet_from": time(22), "quiet_until": time(8)}
    Unit.objects.filter(pk=world.xinyi.pk).update(zone=zone, **hours)
    due_at, leaves_at = map(datetime.fromisoformat, night.split())
    (delivery,) = leaving(due_at, {"text": "a"})
    assert delivery.next_try_at == leaves_at


def test_a_draft_that_goes_at_once_is_told_what_its_limits_do_to_it(
    usual: Room, make_schedule: Any
) -> None:
    Room.objects.filter(pk=usual.pk).update(quiet_from=time(22), quiet_until=time(8))
    draft = make_schedule(timing_kind="now", date=None, time=None)
    (occurrence,) = times_to_come(draft, DAY_LATE, 10)
    ((held,),) = foresee(draft, [occurrence], DAY_LATE).values()
    assert held.leaves_at == datetime(2026, 11, 26, 0, tzinfo=UTC)
    assert foresee(draft, times_to_come(draft, NOON, 10), NOON) == {}


LIMITS = {Delivery.Reason.QUIET: "quiet", Delivery.Reason.BUSY: "interval",
          Delivery.Reason.CAP: "cap", Delivery.Reason.FOLLOWED: "followed"}  # fmt: skip


@pytest.mark.parametrize("seed", range(int(os.environ.get("TEIJI_TEST_SEARCH") or 12)))
def test_whatever_the_limits_are_the_preview_is_what_the_planner_does(
    world: Any, due: Any, seed: int
) -> None:
    chance = random.Random(seed)
    nights = [(None, None), (time(22), time(8)), (time(12, 30), time(14)), (time(0), time(23))]
    rooms = []
    for number in range(2):
        quiet_from, quiet_until = chance.choice(nights)
        rooms.append(
            Room.objects.create(
                unit=world.xinyi, account=world.sandbox, name=f"R{number}", address=f"r{number}",
                min_interval_seconds=chance.choice([0, 30, 400]), daily_cap=chance.choice([0, 4]),
                quiet_from=quiet_from, quiet_until=quiet_until,
            )
        )  # fmt: skip
    start = chance.choice([NOON, DAY_LATE])

    def add(text: str) -> Schedule:
        grid = {"timing_kind": "interval", "every_minutes": chance.choice([10, 30, 60])}
        made = due(
            start, text=text, rooms=chance.sample(rooms, chance.choice([1, 2])), date=None,
            time=None, **grid, priority=chance.choice([10, 50, 90]),
            on_quiet=chance.choice(["move", "skip"]),
        )  # fmt: skip
        made.refresh_from_db()
        return made

    add("another")
    mine = add("mine")
    coming = rules.preview(mine, start - SECOND, 12)
    told = foresee(mine, coming, start - SECOND)
    every = sorted({start + n * 10 * MINUTE for n in range(12 * 6 + 1)})
    for moment in (moment for moment in every if moment <= coming[-1].due_at):
        while plan(moment):
            pass
    for occurrence in coming:
        rows = Delivery.objects.filter(run__schedule=mine, due_at=occurrence.due_at)
        planned = Counter(
            (LIMITS[row.reason], row.next_try_at if row.state == "planned" else None)
            for row in rows
            if row.reason
        )
        foreseen = {(held.limit.value, held.leaves_at): held.rooms
                    for held in told.get(occurrence.due_at, [])}  # fmt: skip
        assert foreseen == dict(planned), occurrence


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_two_planners_at_any_step_of_each_other_never_fill_a_day_over(
    usual: Room, due: Any
) -> None:
    Room.objects.filter(pk=usual.pk).update(daily_cap=3)
    for place in range(0, 200, 3):
        Delivery.objects.update(state="cancelled", claim=None)
        at = NOON + place * MINUTE
        pairs = [
            Schedule.objects.filter(pk__in=[due(at, text=f"{place} {n}{m}").pk for m in range(2)])
            for n in range(2)
        ]
        with before_statement(place, lambda at=at, ids=pairs[1]: plan(at, ids)) as begun:
            plan(at, pairs[0])
        if begun:
            assert isinstance(outcome_of(begun[0]), int)
        while plan(at):
            pass
        rows = Delivery.objects.filter(due_at=at)
        assert sorted(rows.values_list("state", flat=True)) == ["planned"] * 3 + ["skipped"]
        if not begun:
            return
    raise AssertionError("a plan of so many statements is none")


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


@pytest.mark.parametrize("timing", [
    {"timing_kind": "daily"},
    {"timing_kind": "weekly", "weekdays": [2]},
])  # fmt: skip
def test_what_others_send_is_seen_at_the_last_of_the_times_too(
    usual: Room, due: Any, timing: dict[str, Any]
) -> None:
    due(NOON, text="other", date=None, timing_kind="interval", every_minutes=60)
    schedule = due(NOON, text="mine", **timing)
    schedule.refresh_from_db()
    coming = rules.preview(schedule, NOON - SECOND, 10)
    Room.objects.filter(pk=usual.pk).update(daily_cap=0)
    told = foresee(schedule, coming, NOON - SECOND)
    assert [[held.leaves_at for held in told.get(one.due_at, [])] for one in coming] == [
        [one.due_at + 30 * SECOND] for one in coming
    ]
    Room.objects.filter(pk=usual.pk).update(daily_cap=5)  # the others have them before
    told = foresee(schedule, coming, NOON - SECOND)
    assert [held.limit for one in coming[1:] for held in told[one.due_at]] == ["cap"] * 9


def test_quiet_hours_of_the_unit_hold_a_message_to_an_audience(
    world: Any, due: Any, make_audience: Any
) -> None:
    Unit.objects.filter(pk=world.xinyi.pk).update(quiet_from=time(22), quiet_until=time(8))
    schedule = due(DAY_LATE, rooms=[], audience=make_audience(3))
    plan(DAY_LATE - 2 * SECOND)
    (delivery,) = Delivery.objects.filter(run__schedule=schedule)
    assert delivery.next_try_at == datetime(2026, 11, 26, 0, tzinfo=UTC)
