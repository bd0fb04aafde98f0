"""A timing in plain words."""

from datetime import UTC, date, datetime, time

import pytest
from django.utils import translation

from schedules.recurrence import LAST_DAY, Kind, ShortMonth, Timing, in_words

NINE = time(9)
SEOUL = "Asia/Seoul"


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (Kind.NOW, {"registered_at": datetime(2026, 3, 1, tzinfo=UTC)}, "At once"),
        (
            Kind.ONCE,
            {"date": date(2026, 3, 5), "time": NINE},
            "On 2026-03-05 at 09:00 (Asia/Seoul)",
        ),
        (Kind.DAILY, {"time": NINE}, "Every day at 09:00 (Asia/Seoul)"),
        (Kind.DAILY, {"time": time(9, 0, 30)}, "Every day at 09:00:30 (Asia/Seoul)"),
        (
            Kind.WEEKLY,
            {"time": NINE, "weekdays": frozenset([0])},
            "Every Monday at 09:00 (Asia/Seoul)",
        ),
        (
            Kind.WEEKLY,
            {"time": NINE, "weekdays": frozenset([3, 0])},
            "Every Monday and Thursday at 09:00 (Asia/Seoul)",
        ),
        (
            Kind.WEEKLY,
            {"time": NINE, "weekdays": frozenset([6, 0, 3])},
            "Every Monday, Thursday and Sunday at 09:00 (Asia/Seoul)",
        ),
        (
            Kind.WEEKLY,
            {"time": NINE, "weekdays": frozenset(range(7))},
            "Every day at 09:00 (Asia/Seoul)",
        ),
        (
            Kind.MONTHLY,
            {"time": NINE, "day_of_month": 15},
            "On day 15 of each month at 09:00 (Asia/Seoul)",
        ),
        (
            Kind.MONTHLY,
            {"time": NINE, "day_of_month": 31},
            "On day 31 of each month, or its last day, at 09:00 (Asia/Seoul)",
        ),
        (
            Kind.MONTHLY,
            {"time": NINE, "day_of_month": 31, "short_month": ShortMonth.SKIP},
            "On day 31 of each month that has it at 09:00 (Asia/Seoul)",
        ),
        (
            Kind.MONTHLY,
            {"time": NINE, "day_of_month": LAST_DAY},
            "On the last day of each month at 09:00 (Asia/Seoul)",
        ),
        (Kind.INTERVAL, {"every_minutes": 1}, "Every minute, on the clock"),
        (Kind.INTERVAL, {"every_minutes": 30}, "Every 30 minutes, on the clock"),
        (Kind.INTERVAL, {"every_minutes": 60}, "Every hour, on the clock"),
        (Kind.INTERVAL, {"every_minutes": 120}, "Every 2 hours, on the clock"),
        (
            Kind.INTERVAL,
            {"every_minutes": 50},
            "Every 50 minutes, counted anew from each midnight",
        ),
        (
            Kind.PEAK,
            {"every_minutes": 30, "peak_minutes": 15, "peak_hours": frozenset(range(8, 20))},
            "Every 15 minutes from 8 to 19 o'clock, otherwise every 30 minutes (Asia/Seoul)",
        ),
        (
            Kind.PEAK,
            {"every_minutes": 60, "peak_minutes": 1, "peak_hours": frozenset([8, 9, 12, 17, 18])},
            "Every minute from 8 to 9, at 12 and from 17 to 18 o'clock, "
            "otherwise every hour (Asia/Seoul)",
        ),
        (
            Kind.CRON,
            {"cron": " 0  9 * * MON-FRI "},
            "By the cron expression 0 9 * * MON-FRI (Asia/Seoul)",
        ),
        (Kind.DAILY, {}, "The timing is not complete"),
    ],
)
def test_a_rule_in_plain_words(kind, fields, words):
    with translation.override("en"):
        assert in_words(Timing(kind, SEOUL, **fields)) == words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"holiday_country": "KR"}, "not on public holidays in South Korea"),
        ({"holiday_country": "DE"}, "not on public holidays in DE"),
        ({"skip_dates": frozenset([date(2026, 3, 5)])}, "not on 2026-03-05"),
        (
            {"skip_dates": frozenset([date(2026, 3, 6), date(2026, 3, 5)])},
            "not on 2026-03-05 and 2026-03-06",
        ),
        (
            {"skip_dates": frozenset(date(2026, 3, day) for day in range(1, 5))},
            "not on 4 chosen dates",
        ),
        (
            {
                "valid_from": datetime(2026, 2, 28, 15, tzinfo=UTC),
                "valid_until": datetime(2026, 3, 31, 14, 59, tzinfo=UTC),
            },
            "from 2026-03-01 (Sun) 00:00:00 Asia/Seoul, until 2026-03-31 (Tue) 23:59:00 Asia/Seoul",
        ),
    ],
)
def test_limits_follow_the_rule(fields, words):
    with translation.override("en"):
        timing = Timing(Kind.INTERVAL, SEOUL, every_minutes=30, **fields)
        assert in_words(timing) == f"Every 30 minutes, on the clock, {words}"


def test_weekdays_come_in_the_readers_language():
    timing = Timing(Kind.WEEKLY, SEOUL, time=NINE, weekdays=frozenset([0]))
    with translation.override("ko"):
        assert "월요일" in in_words(timing)


def test_what_an_earlier_choice_of_weekdays_left_behind_is_not_told():
    every_day = frozenset(range(7))
    nine = time(9)
    monthly = Timing(Kind.MONTHLY, "UTC", time=nine, day_of_month=5, weekdays=every_day)
    assert in_words(monthly) == "On day 5 of each month at 09:00 (UTC)"
