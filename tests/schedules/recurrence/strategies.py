"""What the properties draw from: zones, moments near the changes of their clocks, timings."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from schedules.recurrence import LAST_DAY, Kind, ShortMonth, Timing

ODD_ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
]
YEARS = range(1975, 2038)  # whole-minute offsets; the years that tzdata lists one by one

zones = st.sampled_from(ODD_ZONES) | st.sampled_from(sorted(available_timezones() - {"localtime"}))
years = st.sampled_from(YEARS)
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@cache
def shifts(zone, year):
    """The days (UTC) in which the clocks of a zone change."""
    tz = ZoneInfo(zone)
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(366)]
    offsets = [day.astimezone(tz).utcoffset() for day in days]
    pairs = zip(days, offsets, offsets[1:], strict=False)
    return [day for day, before, after in pairs if before != after]


@st.composite
def moments(draw, zone):
    """A moment, most often within a day of a change of the clocks if the year has one."""
    year = draw(years)
    any_day = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 364)))
    day = draw(st.sampled_from([*shifts(zone, year), any_day]))
    return day + timedelta(minutes=draw(st.integers(-1440, 2880)))


@st.composite
def timings(draw, zone, kinds=tuple(Kind)[2:]):
    """A repeating timing without problems."""
    return Timing(
        draw(st.sampled_from(kinds)),
        zone,
        time=draw(clocks),
        weekdays=draw(st.frozensets(st.integers(0, 6), min_size=1)),
        day_of_month=draw(st.integers(1, LAST_DAY)),
        short_month=draw(st.sampled_from(ShortMonth)),
        every_minutes=draw(st.integers(1, 1440)),
        peak_minutes=draw(st.sampled_from([1, 7, 15, 45, 60])),
        peak_hours=draw(st.frozensets(st.integers(0, 23), min_size=1)),
        cron=draw(expressions),
    )


minute_fields = st.sampled_from(["0", "30", "*/20", "10,50", "*", "5-10"])
hour_fields = st.sampled_from(["0", "2", "*", "1,2,3", "*/6", "23", "0-3"])
day_fields = st.sampled_from(["* * *", "L * *", "31 * *", "* * SUN", "1 */3 MON", "29 2 *"])
expressions = st.tuples(minute_fields, hour_fields, day_fields).map(" ".join)
