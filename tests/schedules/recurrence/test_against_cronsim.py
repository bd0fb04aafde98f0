"""Our own generator and cronsim's agree wherever cronsim's own rules hold."""

from datetime import UTC, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from schedules.recurrence import LAST_DAY, Kind, ShortMonth, Timing, occurrences

from .strategies import clocks, moments, zones
from .test_properties import quick

# cronsim's steps of an hour go past the full hour where the clocks change by half of one (Lord
# Howe) or a minute after it (St John's, Gaza); the properties hold every zone to the minute.
ON_THE_HOUR = [
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
    "Asia/Seoul",
    "Europe/London",
    "Pacific/Apia",
]


def agree(timing, expression, after):
    after = after.astimezone(ZoneInfo(timing.zone))
    theirs = list(islice(CronSim(expression, after), 12))
    assume(cronsim_is_right(timing, after, theirs[-1]))
    ours = [each.local for each in islice(occurrences(timing, after), 12)]
    as_cron = Timing(Kind.CRON, timing.zone, cron=expression)
    read = [each.local for each in islice(occurrences(as_cron, after), 12)]
    assert [each.isoformat() for each in ours] == [each.isoformat() for each in theirs]
    assert read == ours


def cronsim_is_right(timing, after, until):
    """Where cronsim's ways are not ours; the table holds what is due there."""
    if timing.kind == Kind.INTERVAL:
        return True
    start = after.astimezone(UTC)
    days = (start + timedelta(days=number) for number in range((until - after).days + 2))
    offsets = [day.astimezone(after.tzinfo).utcoffset() for day in days]
    jumps = [abs(later - earlier) for earlier, later in pairwise(offsets)]
    # It sends what a lost day was owed; from the second pass of an hour it goes back to the first.
    return after.fold == 0 and all(jump < timedelta(hours=12) for jump in jumps)


@quick
@given(st.data(), zones, clocks)
def test_daily(data, zone, clock):
    timing = Timing(Kind.DAILY, zone, time=clock)
    agree(timing, f"{clock.minute} {clock.hour} * * *", data.draw(moments(zone)))


@quick
@given(st.data(), zones, clocks, st.frozensets(st.integers(0, 6), min_size=1))
def test_weekly(data, zone, clock, weekdays):
    timing = Timing(Kind.WEEKLY, zone, time=clock, weekdays=weekdays)
    theirs = ",".join(str((weekday + 1) % 7) for weekday in weekdays)
    agree(timing, f"{clock.minute} {clock.hour} * * {theirs}", data.draw(moments(zone)))


@quick
@given(st.data(), zones, clocks, st.integers(1, LAST_DAY))
def test_monthly(data, zone, clock, day):
    timing = Timing(Kind.MONTHLY, zone, time=clock, day_of_month=day, short_month=ShortMonth.SKIP)
    theirs = "L" if day == LAST_DAY else day
    agree(timing, f"{clock.minute} {clock.hour} {theirs} * *", data.draw(moments(zone)))


@quick
@given(st.data(), zones, st.sampled_from([1, 2, 5, 10, 15, 20, 30]))
def test_minutes(data, zone, minutes):
    timing = Timing(Kind.INTERVAL, zone, every_minutes=minutes)
    agree(timing, f"*/{minutes} * * * *", data.draw(moments(zone)))


@quick
@given(st.data(), st.sampled_from(ON_THE_HOUR), st.sampled_from([1, 2, 3, 4, 6, 8, 12]))
def test_hours(data, zone, hours):
    timing = Timing(Kind.INTERVAL, zone, every_minutes=hours * 60)
    agree(timing, f"0 */{hours} * * *", data.draw(moments(zone)))
