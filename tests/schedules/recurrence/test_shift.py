"""Shifting a timing: by the wall clock, there and back again."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedules.recurrence import LAST_DAY, Kind, NoShiftError, Timing, shifted

from .strategies import clocks

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SEOUL = "Asia/Seoul"


def weekly(*weekdays: int, at: time = time(9)) -> Timing:
    return Timing(Kind.WEEKLY, SEOUL, weekdays=frozenset(weekdays), time=at)


def monthly(day: int, at: time = time(9)) -> Timing:
    return Timing(Kind.MONTHLY, SEOUL, day_of_month=day, time=at)


def test_a_single_time_moves_over_midnight_to_the_next_day():
    once = Timing(Kind.ONCE, SEOUL, date=date(2026, 12, 31), time=time(23, 50))
    moved = shifted(once, 20 * MINUTE)
    assert (moved.date, moved.time) == (date(2027, 1, 1), time(0, 10))


def test_weekdays_go_along_over_midnight_and_by_days():
    assert shifted(weekly(0, 6, at=time(23, 50)), 20 * MINUTE) == weekly(1, 0, at=time(0, 10))
    assert shifted(weekly(0, 2), -3 * DAY) == weekly(4, 6)


def test_what_goes_every_day_goes_every_day_past_midnight_too():
    daily = Timing(Kind.DAILY, SEOUL, time=time(0, 10))
    assert shifted(daily, -20 * MINUTE).time == time(23, 50)


def test_a_day_of_the_month_moves_among_those_that_every_month_has():
    assert shifted(monthly(27), DAY) == monthly(28)
    assert shifted(monthly(31, time(9)), 30 * MINUTE) == monthly(31, time(9, 30))


@pytest.mark.parametrize(
    ("timing", "span"),
    [
        (monthly(28), DAY),
        (monthly(1), -DAY),
        (monthly(31), -DAY),
        (monthly(LAST_DAY, time(23, 50)), 20 * MINUTE),
        (Timing(Kind.DAILY, SEOUL, time=time(9)), DAY),
        (Timing(Kind.INTERVAL, SEOUL, every_minutes=30), MINUTE),
        (Timing(Kind.CRON, SEOUL, cron="0 9 * * *"), MINUTE),
        (Timing(Kind.ONCE, SEOUL, date=date.max, time=time(9)), DAY),
    ],
)
def test_what_has_no_one_meaning_is_refused(timing: Timing, span: timedelta):
    with pytest.raises(NoShiftError):
        shifted(timing, span)


# The first draw of a run reads all of our source for numbers.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), clocks, st.integers(-1439, 1439), st.integers(-400, 400))
def test_there_and_back_is_where_it_was(data, at, minutes, days):
    timing = data.draw(
        st.builds(weekly, st.integers(0, 6), at=st.just(at))
        | st.builds(
            lambda day: Timing(Kind.ONCE, SEOUL, date=day.date(), time=at),
            st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001
        )
    )
    span = days * DAY + minutes * MINUTE
    assert shifted(shifted(timing, span), -span) == timing
