"""Validity, skips, refusals and speed; the times themselves are in the table."""

import time as stopwatch
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from schedules.recurrence import (
    Kind,
    ShortMonth,
    Timing,
    TimingError,
    next_occurrence,
    occurrences,
)

from .rules import NEW_YORK, SEOUL, cron, daily, every, monthly, peak

START = datetime(2026, 3, 1, tzinfo=UTC)  # 09:00 in Seoul, a Sunday


def test_due_at_is_utc_and_local_is_the_same_moment_in_the_zone():
    occurrence = next_occurrence(daily(SEOUL, 9), START)
    assert occurrence.due_at == occurrence.local == datetime(2026, 3, 2, tzinfo=UTC)
    assert occurrence.due_at.tzinfo is UTC
    assert occurrence.local.tzinfo == ZoneInfo(SEOUL)


def test_seconds_of_a_time_are_kept():
    timing = Timing(Kind.DAILY, SEOUL, time=time(9, 0, 7))
    assert next_occurrence(timing, START).due_at == START + timedelta(seconds=7)


def test_now_is_the_moment_of_registration_and_only_that():
    timing = Timing(Kind.NOW, SEOUL, registered_at=START)
    assert [each.due_at for each in occurrences(timing, START - timedelta(seconds=1))] == [START]
    assert next_occurrence(timing, START) is None


def test_a_one_off_outside_its_validity_yields_nothing():
    at_noon = {"kind": Kind.ONCE, "zone": SEOUL, "date": date(2026, 3, 1), "time": time(12)}
    noon = START + timedelta(hours=3)
    assert next_occurrence(Timing(**at_noon), START).due_at == noon
    assert next_occurrence(Timing(**at_noon, valid_until=noon), START).due_at == noon
    assert next_occurrence(Timing(**at_noon, valid_from=noon), START).due_at == noon
    moment = timedelta.resolution
    assert next_occurrence(Timing(**at_noon, valid_until=noon - moment), START) is None
    assert next_occurrence(Timing(**at_noon, valid_from=noon + moment), START) is None


def test_validity_includes_both_its_ends():
    timing = Timing(
        Kind.INTERVAL,
        SEOUL,
        every_minutes=30,
        valid_from=START + timedelta(hours=1),
        valid_until=START + timedelta(hours=2),
    )
    found = [each.due_at - START for each in occurrences(timing, START)]
    assert found == [timedelta(hours=1), timedelta(hours=1.5), timedelta(hours=2)]


def test_a_validity_that_ends_between_two_dates_ends_the_list():
    timing = Timing(
        Kind.MONTHLY, SEOUL, day_of_month=31, time=time(9), valid_until=START + timedelta(days=5)
    )
    assert next_occurrence(timing, START) is None


def test_moments_given_in_the_zone_keep_their_pass_of_a_repeated_hour():
    one = datetime(2026, 11, 1, 1, 0, tzinfo=ZoneInfo(NEW_YORK))
    first_pass, second_pass = one, one.replace(fold=1)
    found = next_occurrence(every(NEW_YORK, 30), second_pass)
    assert found.due_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    from_second = replace(every(NEW_YORK, 30), valid_from=second_pass)
    assert next_occurrence(from_second, first_pass).due_at == second_pass.astimezone(UTC)
    until_first = replace(every(NEW_YORK, 30), valid_until=first_pass)
    assert next_occurrence(until_first, first_pass) is None
    assert replace(until_first, valid_from=second_pass).problems().keys() == {"valid_until"}


SKIPPING = Timing(
    Kind.DAILY, SEOUL, time=time(9), holiday_country="KR", skip_dates=frozenset([date(2026, 2, 20)])
)


def marks(exceptions, day):
    before = datetime.combine(day, time(8), tzinfo=ZoneInfo(SEOUL))
    occurrence = next_occurrence(SKIPPING, before, exceptions=exceptions)
    assert occurrence.local.date() == day
    return occurrence.skipped, occurrence.detail


def test_holidays_and_chosen_dates_are_yielded_and_marked():
    days = islice(occurrences(SKIPPING, datetime(2026, 2, 15, tzinfo=UTC)), 6)
    assert [(each.local.day, each.skipped, each.detail) for each in days] == [
        (16, "holiday", "설날 전날"),
        (17, "holiday", "설날"),
        (18, "holiday", "설날 다음날"),
        (19, "", ""),
        (20, "date", ""),
        (21, "", ""),
    ]


def test_an_exception_overrules_the_calendar_both_ways():
    holiday, working_day = date(2026, 2, 17), date(2026, 2, 19)
    assert marks({("KR", holiday): False}, holiday) == ("", "")
    assert marks({("KR", working_day): True}, working_day) == ("holiday", "")
    assert marks({("KR", holiday): True}, holiday) == ("holiday", "설날")
    assert marks({("TW", holiday): False, ("TW", working_day): True}, working_day) == ("", "")


def test_a_holiday_is_one_of_the_local_day():
    just_after_midnight = Timing(
        Kind.DAILY, SEOUL, time=time(0, 5), holiday_country="KR"
    )  # 15:05 UTC of the day before
    occurrence = next_occurrence(just_after_midnight, datetime(2026, 2, 15, 12, tzinfo=UTC))
    assert (occurrence.due_at.day, occurrence.skipped) == (15, "holiday")


def test_a_rule_that_only_meets_holidays_is_still_lazy():
    timing = Timing(Kind.CRON, SEOUL, cron="0 9 1 1 *", holiday_country="KR")
    assert [each.skipped for each in islice(occurrences(timing, START), 3)] == ["holiday"] * 3


def test_a_timing_with_problems_is_refused_at_once():
    with pytest.raises(TimingError, match="time") as refused:
        occurrences(Timing(Kind.DAILY, SEOUL), START)
    assert set(refused.value.problems) == {"time"}


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        occurrences(daily(SEOUL, 9), datetime(2026, 3, 1))  # noqa: DTZ001 what is tested


@pytest.mark.parametrize(
    "timing",
    [
        every(NEW_YORK, 1),
        peak(NEW_YORK),
        cron(NEW_YORK, "0 9 29 2 *"),
        cron(NEW_YORK, "0 9 29 2 */7"),
        cron(NEW_YORK, "*/5 * * 2 MON#5"),
        monthly(NEW_YORK, 31, ShortMonth.SKIP),
        Timing(Kind.INTERVAL, SEOUL, every_minutes=1, valid_from=START.replace(year=2126)),
    ],
    ids=str,
)
def test_the_next_ten_take_no_time(timing):
    list(islice(occurrences(timing, START), 10))
    begun = stopwatch.perf_counter()
    assert len(list(islice(occurrences(timing, START), 10))) == 10
    assert stopwatch.perf_counter() - begun < 0.1  # about 0.002 s on an idle machine
