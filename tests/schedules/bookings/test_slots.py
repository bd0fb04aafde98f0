"""When a message may leave: a wish and a room's bounds in, a slot out."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.bookings.slots import Bounds, Limit, Slot, Taken, Wish, find_slot
from schedules.recurrence.quiet import Quiet

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
HALF = Bounds("UTC", interval=30 * SECOND)
NIGHT = Quiet(time(22), time(8), "UTC")


def taken(*moments: datetime, length: timedelta = timedelta(0)) -> Taken:
    found = empty()
    for moment in moments:
        found.take(Slot(moment), length)
    return found


def empty(zone: str = "UTC") -> Taken:
    return Taken(ZoneInfo(zone))


def test_a_room_without_limits_is_written_to_when_it_is_wanted() -> None:
    assert find_slot(Wish(NINE), Bounds("UTC"), taken(NINE, NINE)) == Slot(NINE)


def test_the_next_message_waits_for_the_interval() -> None:
    slot = find_slot(Wish(NINE + SECOND), HALF, taken(NINE))
    assert slot == Slot(NINE + 30 * SECOND, (Limit.INTERVAL,))


def test_the_interval_holds_towards_what_comes_later_too() -> None:
    slot = find_slot(Wish(NINE), HALF, taken(NINE + 10 * SECOND))
    assert slot == Slot(NINE + 40 * SECOND, (Limit.INTERVAL,))


def test_a_message_of_several_parts_is_waited_for_to_its_end() -> None:
    slot = find_slot(Wish(NINE + SECOND), HALF, taken(NINE, length=MINUTE))
    assert slot.at == NINE + MINUTE + 30 * SECOND


def test_who_would_wait_longer_than_the_grace_is_left_out() -> None:
    full = taken(*(NINE + 30 * n * SECOND for n in range(30)))
    assert find_slot(Wish(NINE), HALF, full).skipped == Limit.INTERVAL


def test_the_fifty_first_of_a_day_is_left_out_and_the_next_day_is_free() -> None:
    bounds = Bounds("UTC", cap=50)
    full = taken(*(NINE + n * MINUTE for n in range(50)))
    assert find_slot(Wish(NINE + 60 * MINUTE), bounds, full).skipped == Limit.CAP
    assert find_slot(Wish(NINE + DAY), bounds, full) == Slot(NINE + DAY)


@pytest.mark.parametrize("zone", ["Asia/Taipei", "America/New_York"])
def test_a_day_is_one_of_the_units_zone_also_where_it_has_23_hours(zone: str) -> None:
    day = datetime(2026, 3, 8, tzinfo=ZoneInfo(zone))  # New York's clocks go forward
    first, last = day, (day + DAY) - SECOND
    bounds, room = Bounds(zone, cap=1), empty(zone)
    room.take(Slot(first), timedelta(0))
    assert find_slot(Wish(last.astimezone(UTC)), bounds, room).skipped == Limit.CAP
    after = (day + DAY).astimezone(UTC)
    assert not find_slot(Wish(after), bounds, room).skipped


def test_what_falls_into_quiet_hours_waits_for_their_end_or_is_left_out() -> None:
    late = NINE.replace(hour=22, minute=30)
    bounds = Bounds("UTC", quiet=NIGHT)
    morning = NINE.replace(day=3, hour=8)
    assert find_slot(Wish(late), bounds, empty()) == Slot(morning, (Limit.QUIET,))
    assert find_slot(Wish(late, moves=False), bounds, empty()).skipped == Limit.QUIET


def test_of_one_night_only_the_last_goes() -> None:
    late = NINE.replace(hour=23)
    bounds, morning = Bounds("UTC", quiet=NIGHT), NINE.replace(day=3, hour=8)
    followed = Wish(late, followed_at=late + 30 * MINUTE)
    assert find_slot(followed, bounds, empty()).skipped == Limit.FOLLOWED
    last = Wish(late, followed_at=morning)
    assert find_slot(last, bounds, empty()) == Slot(morning, (Limit.QUIET,))


def test_what_is_planned_late_keeps_its_slot_and_is_tried_no_sooner_than_now() -> None:
    room, now = empty(), NINE + 5 * MINUTE
    wishes = [Wish(NINE), Wish(NINE), Wish(NINE + MINUTE)]
    slots = []
    for wish in wishes:
        slots.append(find_slot(wish, HALF, room, now))
        room.take(slots[-1], timedelta(0))
    assert slots == [
        Slot(NINE, tried_at=now),  # the outage has delayed it, and no limit
        Slot(NINE + 30 * SECOND, (Limit.INTERVAL,), tried_at=now + 30 * SECOND),
        Slot(NINE + MINUTE, (Limit.INTERVAL,), tried_at=now + MINUTE),
    ]


def test_what_is_planned_late_waits_no_longer_than_its_grace_from_its_slot() -> None:
    now = NINE + 5 * MINUTE
    room = taken(*(now + 30 * n * SECOND for n in range(11)))
    assert find_slot(Wish(NINE), HALF, room, now).skipped == Limit.INTERVAL


def test_what_an_outage_has_led_into_quiet_hours_waits_for_their_end() -> None:
    evening = NINE.replace(hour=21, minute=58)
    bounds, now = Bounds("UTC", quiet=NIGHT), evening + 5 * MINUTE
    morning = Slot(NINE.replace(day=3, hour=8), (Limit.QUIET,))
    assert find_slot(Wish(evening), bounds, empty(), now) == morning
    assert find_slot(Wish(evening, moves=False), bounds, empty(), now).skipped == Limit.QUIET


def test_several_that_waited_for_the_morning_keep_their_distance() -> None:
    bounds = Bounds("UTC", interval=30 * SECOND, quiet=NIGHT)
    room, late = empty(), NINE.replace(hour=23)
    slots = []
    for minute in range(3):
        slots.append(find_slot(Wish(late + minute * MINUTE), bounds, room).at)
        room.take(Slot(slots[-1]), timedelta(0))
    morning = NINE.replace(day=3, hour=8)
    assert slots == [morning + n * 30 * SECOND for n in range(3)]


def test_nothing_is_moved_past_its_validity() -> None:
    late = NINE.replace(hour=23)
    wish = Wish(late, until=late + MINUTE)
    assert find_slot(wish, Bounds("UTC", quiet=NIGHT), empty()).skipped == Limit.QUIET


@given(
    wishes=st.lists(st.integers(0, 600), max_size=30),
    interval=st.integers(0, 60),
    cap=st.integers(0, 10),
    length=st.integers(0, 40),
    quiet=st.none() | st.tuples(st.times(), st.times()).filter(lambda two: two[0] != two[1]),
)
def test_no_room_ever_gets_more_or_sooner_than_it_bears(
    wishes: list[int],
    interval: int,
    cap: int,
    length: int,
    quiet: tuple[time, time] | None,
) -> None:
    hours = Quiet(*quiet, "UTC") if quiet else None
    bounds = Bounds("UTC", interval * SECOND, cap, hours)
    room = empty()
    for wanted in wishes:
        wish = Wish(NINE + wanted * SECOND, length=length * SECOND)
        slot = find_slot(wish, bounds, room)
        assert slot.at >= wish.at
        assert (slot.at == wish.at) == (not slot.held) or slot.skipped
        if not slot.skipped:
            room.take(slot, wish.length)
    spans = room.spans
    if interval:
        for (_, end), (begin, _) in pairwise(spans):
            assert begin - end >= interval * SECOND
    if cap:
        assert all(room.count_on(begin) <= cap for begin, _ in spans)
    if hours:
        assert all(hours.end_around(begin) is None for begin, _ in spans)
