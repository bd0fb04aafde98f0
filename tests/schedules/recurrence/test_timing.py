"""What makes a timing unusable, field by field."""

from datetime import UTC, date, datetime, time

import pytest
from django.utils import translation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schedules.recurrence import LAST_DAY, CronError, Kind, Timing
from schedules.recurrence.cron import parse_cron

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHOLE = {
    Kind.NOW: {"registered_at": NOON},
    Kind.ONCE: {"date": date(2026, 3, 1), "time": time(9)},
    Kind.DAILY: {"time": time(9)},
    Kind.WEEKLY: {"time": time(9), "weekdays": frozenset([0, 6])},
    Kind.MONTHLY: {"time": time(9), "day_of_month": LAST_DAY},
    Kind.INTERVAL: {"every_minutes": 1440},
    Kind.PEAK: {"every_minutes": 30, "peak_minutes": 1, "peak_hours": frozenset([0, 23])},
    Kind.CRON: {"cron": "*/5 8-19 * * MON-FRI"},
}


def problems(kind, zone="Asia/Seoul", **changes):
    with translation.override("en"):
        return Timing(kind, zone, **(WHOLE.get(kind, {}) | changes)).problems()


@pytest.mark.parametrize("kind", list(Kind))
def test_a_whole_timing_has_no_problem(kind):
    validity = {"valid_from": NOON, "valid_until": NOON}
    assert problems(kind, holiday_country="TW", **validity) == {}


def test_a_time_in_the_past_is_no_problem():
    assert problems(Kind.ONCE, date=date(1999, 1, 1)) == {}


@pytest.mark.parametrize("kind", list(Kind))
def test_each_missing_field_is_named(kind):
    with translation.override("en"):
        assert set(Timing(kind, "Asia/Seoul").problems()) == set(WHOLE[kind])


ZONE = "There is no time zone of this name."
MINUTES = "Choose from 1 to 1440 minutes."
DAY = "Choose a day from 1 to 31, or the last day of the month."
YEAR = "Choose a year from 1970 to 9998."


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (Kind.DAILY, {"zone": ""}, {"zone": ZONE}),
        (Kind.DAILY, {"zone": "Asia"}, {"zone": ZONE}),
        (Kind.DAILY, {"zone": "Asia/Atlantis"}, {"zone": ZONE}),
        (Kind.DAILY, {"zone": "../etc/passwd"}, {"zone": ZONE}),
        (Kind.DAILY, {"zone": "a\0b"}, {"zone": ZONE}),
        (Kind.DAILY, {"zone": "a" * 5000}, {"zone": ZONE}),
        ("hourly", {}, {"kind": "There is no timing of this kind."}),
        (Kind.ONCE, {"date": date(1, 1, 1)}, {"date": YEAR}),
        (Kind.ONCE, {"date": date(9999, 12, 31)}, {"date": YEAR}),
        (Kind.WEEKLY, {"weekdays": frozenset()}, {"weekdays": "Choose at least one weekday."}),
        (
            Kind.WEEKLY,
            {"weekdays": frozenset([7])},
            {"weekdays": "A weekday is a number from 0 (Monday) to 6 (Sunday)."},
        ),
        (Kind.MONTHLY, {"day_of_month": 0}, {"day_of_month": DAY}),
        (Kind.MONTHLY, {"day_of_month": 33}, {"day_of_month": DAY}),
        (Kind.INTERVAL, {"every_minutes": 0}, {"every_minutes": MINUTES}),
        (Kind.INTERVAL, {"every_minutes": 1441}, {"every_minutes": MINUTES}),
        (Kind.PEAK, {"peak_minutes": -15}, {"peak_minutes": MINUTES}),
        (Kind.PEAK, {"peak_hours": frozenset()}, {"peak_hours": "Choose at least one peak hour."}),
        (
            Kind.PEAK,
            {"peak_hours": frozenset([8, 24])},
            {"peak_hours": "An hour is a number from 0 to 23."},
        ),
        (
            Kind.DAILY,
            {"valid_from": NOON, "valid_until": NOON.replace(hour=11)},
            {"valid_until": "The validity ends before it begins."},
        ),
        (
            Kind.DAILY,
            {"valid_from": NOON, "valid_until": NOON.replace(tzinfo=None)},
            {"valid_until": "A time zone is missing."},
        ),
        (Kind.DAILY, {"valid_until": NOON.replace(year=9999)}, {"valid_until": YEAR}),
        (
            Kind.NOW,
            {"registered_at": NOON.replace(tzinfo=None)},
            {"registered_at": "A time zone is missing."},
        ),
        (
            Kind.DAILY,
            {"holiday_country": "XX"},
            {"holiday_country": "The public holidays of this country are not known."},
        ),
        (Kind.DAILY, {"time": None, "zone": "?"}, {"time": "This is missing.", "zone": ZONE}),
    ],
)
def test_a_problem_names_its_field(kind, changes, expected):
    assert problems(kind, **changes) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("  ", "This is missing."),
        ("0 9 * *", "A cron expression has five fields, this one has 4."),
        ("0 0 9 * * *", "A cron expression has five fields, this one has 6."),
        ("@daily", "A cron expression has five fields, this one has 1."),
        ("60 9 * * *", "The first field, the minute, is not right (0 to 59)."),
        ("0 24 * * *", "The second field, the hour, is not right (0 to 23)."),
        ("0 9 0 * *", "The third field, the day of the month, is not right (1 to 31, or L)."),
        ("0 9 32 2 *", "The third field, the day of the month, is not right (1 to 31, or L)."),
        ("0 9 30 2 *", "No date ever matches this cron expression."),
        ("0 9 31 2,4 *", "No date ever matches this cron expression."),
        ("0 9 * FOO *", "The fourth field, the month, is not right (1 to 12, or JAN to DEC)."),
        ("0 9 * * 8", "The fifth field, the weekday, is not right (0 to 7, or SUN to SAT)."),
        ("0 9 */31 * 1L", "No date ever matches this cron expression."),
        ("0 9 * * 1," + "1," * 200 + "1", "This cron expression is too long."),
    ],
)
def test_a_bad_cron_expression_says_what_is_wrong(expression, message):
    assert problems(Kind.CRON, cron=expression) == {"cron": message}


FIELDS = st.text("0123456789*/,-L#WMONJAN", min_size=1, max_size=6) | st.sampled_from(["*", "0"])


@settings(deadline=None)
@given(st.lists(FIELDS, min_size=5, max_size=5).map(" ".join) | st.text(max_size=40))
@example("0 0 L-3 * *")
@example("0 0 * * L")
@example("0 0 * * ²L")
@example("0 0 * * MON-FRI#2")
def test_any_text_is_read_or_refused(expression):
    try:
        cron = parse_cron(expression)
    except CronError as error:
        assert str(error)
    else:
        assert next(cron.days(date(2026, 1, 1))) >= date(2026, 1, 1)
