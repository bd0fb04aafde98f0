"""Quiet hours, over midnight and over changes of the clocks."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schedules.recurrence.quiet import Quiet

ZONES = ["Asia/Seoul", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]
NIGHT = Quiet(time(22), time(8), "Asia/Seoul")


@pytest.mark.parametrize(
    ("clock", "end"),
    [
        ("21:59", None),
        ("22:00", "2026-01-13 08:00"),
        ("23:30", "2026-01-13 08:00"),
        ("00:10", "2026-01-12 08:00"),
        ("07:59", "2026-01-12 08:00"),
        ("08:00", None),
        ("12:00", None),
    ],
)
def test_they_run_past_midnight(clock: str, end: str | None) -> None:
    seoul = ZoneInfo("Asia/Seoul")
    moment = datetime.fromisoformat(f"2026-01-12 {clock}").replace(tzinfo=seoul)
    found = NIGHT.end_around(moment)
    assert (f"{found.astimezone(seoul):%Y-%m-%d %H:%M}" if found else None) == end


def test_an_end_that_the_clocks_skip_is_the_first_moment_after() -> None:
    quiet = Quiet(time(1), time(2, 30), "America/New_York")
    found = quiet.end_around(datetime(2026, 3, 8, 6, 15, tzinfo=UTC))
    assert found == datetime(2026, 3, 8, 7, tzinfo=UTC)


@given(
    minutes=st.integers(0, 525_599),
    begins=st.times(),
    ends=st.times(),
    zone=st.sampled_from(ZONES),
)
def test_their_end_lies_ahead_within_a_day_and_is_outside_of_them(
    minutes: int, begins: time, ends: time, zone: str
) -> None:
    assume(begins != ends)
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    quiet = Quiet(begins, ends, zone)
    end = quiet.end_around(moment)
    if end is not None:
        assert moment < end <= moment + timedelta(hours=25)
        assert quiet.end_around(end - timedelta.resolution) is not None
