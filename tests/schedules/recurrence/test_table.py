"""The table of occurrences (rule, zone, expected list), days on which clocks change included."""

from datetime import date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from schedules.recurrence import LAST_DAY, ShortMonth, occurrences

from .rules import (
    APIA,
    LONDON,
    LORD_HOWE,
    NEW_YORK,
    SAO_PAULO,
    SEOUL,
    cron,
    daily,
    every,
    monthly,
    once,
    peak,
    weekly,
)

PLAIN = {
    "daily": (
        daily(SEOUL, 9),
        "2026-03-01T09:00",
        ["2026-03-02T09:00+09:00", "2026-03-03T09:00+09:00"],
    ),
    "a zone off by three quarters": (
        daily("Asia/Kathmandu", 9),
        "2026-03-01T00:00+00:00",
        ["2026-03-01T09:00+05:45", "2026-03-02T09:00+05:45"],
    ),
    "weekly on two weekdays": (
        weekly(SEOUL, {0, 3}, 9),
        "2026-03-02T08:59",
        ["2026-03-02T09:00+09:00", "2026-03-05T09:00+09:00", "2026-03-09T09:00+09:00"],
    ),
    "day 15": (
        monthly(SEOUL, 15),
        "2026-01-15T09:00",
        ["2026-02-15T09:00+09:00", "2026-03-15T09:00+09:00"],
    ),
    "day 31 falls on the last day": (
        monthly(SEOUL, 31),
        "2026-01-31T09:00",
        ["2026-02-28T09:00+09:00", "2026-03-31T09:00+09:00", "2026-04-30T09:00+09:00"],
    ),
    "day 31 skips short months": (
        monthly(SEOUL, 31, ShortMonth.SKIP),
        "2026-01-31T09:00",
        ["2026-03-31T09:00+09:00", "2026-05-31T09:00+09:00"],
    ),
    "the last day, in a leap year": (
        monthly(SEOUL, LAST_DAY, ShortMonth.SKIP),
        "2028-01-31T09:00",
        ["2028-02-29T09:00+09:00", "2028-03-31T09:00+09:00"],
    ),
    "half hours": (
        every(SEOUL, 30),
        "2026-03-01T23:17:42",
        ["2026-03-01T23:30+09:00", "2026-03-02T00:00+09:00", "2026-03-02T00:30+09:00"],
    ),
    "a grid that does not divide the day begins anew at midnight": (
        every(SEOUL, 50),
        "2026-03-01T22:30",
        ["2026-03-01T23:20+09:00", "2026-03-02T00:00+09:00", "2026-03-02T00:50+09:00"],
    ),
    "into the peak hours": (
        peak(SEOUL),
        "2026-03-01T07:00",
        ["2026-03-01T07:30+09:00", "2026-03-01T08:00+09:00", "2026-03-01T08:15+09:00"],
    ),
    "out of the peak hours": (
        peak(SEOUL),
        "2026-03-01T19:30",
        ["2026-03-01T19:45+09:00", "2026-03-01T20:00+09:00", "2026-03-01T20:30+09:00"],
    ),
    "cron": (
        cron(SEOUL, "30 9 * * MON-FRI"),
        "2026-03-06T09:30",
        ["2026-03-09T09:30+09:00", "2026-03-10T09:30+09:00"],
    ),
    "cron on 29 February": (
        cron(SEOUL, "0 9 29 2 *"),
        "2026-03-06T09:30",
        ["2028-02-29T09:00+09:00", "2032-02-29T09:00+09:00"],
    ),
    "cron every minute of a rare day": (
        cron(SEOUL, "* 23 29 2 *"),
        "2028-02-29T23:58",
        ["2028-02-29T23:59+09:00", "2032-02-29T23:00+09:00"],
    ),
}
GAPS = {
    "Seoul has none": (
        daily(SEOUL, 2, 30),
        "2026-03-07T12:00",
        ["2026-03-08T02:30+09:00", "2026-03-09T02:30+09:00"],
    ),
    "New York: to the first moment after": (
        daily(NEW_YORK, 2, 30),
        "2026-03-07T00:00",
        ["2026-03-07T02:30-05:00", "2026-03-08T03:00-04:00 moved", "2026-03-09T02:30-04:00"],
    ),
    "London": (
        daily(LONDON, 1, 0),
        "2026-03-28T12:00",
        ["2026-03-29T02:00+01:00 moved", "2026-03-30T01:00+01:00"],
    ),
    "Lord Howe: half an hour": (
        daily(LORD_HOWE, 2, 10),
        "2026-10-03T12:00",
        ["2026-10-04T02:30+11:00 moved", "2026-10-05T02:10+11:00"],
    ),
    "Sao Paulo: midnight": (
        daily(SAO_PAULO, 0),
        "2017-10-14T12:00",
        ["2017-10-15T01:00-02:00 moved", "2017-10-16T00:00-02:00"],
    ),
    "Beirut: midnight": (
        weekly("Asia/Beirut", {6}, 0),
        "2026-03-28T12:00",
        ["2026-03-29T01:00+03:00 moved", "2026-04-05T00:00+03:00"],
    ),
    "Nuuk: over midnight": (
        daily("America/Nuuk", 23, 30),
        "2024-03-30T12:00",
        ["2024-03-31T00:00-01:00 moved", "2024-03-31T23:30-01:00"],
    ),
    "Nuuk: from within the lost hour's place": (
        daily("America/Nuuk", 23, 30),
        "2024-03-31T00:00",
        ["2024-03-31T23:30-01:00"],
    ),
    "Casablanca: the end of Ramadan": (
        daily("Africa/Casablanca", 2, 15),
        "2026-03-21T12:00",
        ["2026-03-22T03:00+01:00 moved", "2026-03-23T02:15+01:00"],
    ),
    "Kathmandu 1986: a quarter of an hour": (
        daily("Asia/Kathmandu", 0, 5),
        "1985-12-31T12:00",
        ["1986-01-01T00:15+05:45 moved", "1986-01-02T00:05+05:45"],
    ),
    "Apia: a day that never was is owed to nobody": (
        daily(APIA, 9),
        "2011-12-29T00:00",
        ["2011-12-29T09:00-10:00", "2011-12-31T09:00+14:00", "2012-01-01T09:00+14:00"],
    ),
    "Apia: a one-off of that day still goes": (
        once(APIA, date(2011, 12, 30), time(9)),
        "2011-12-01T00:00",
        ["2011-12-31T00:00+14:00 moved"],
    ),
    "cron's two times in one gap go once": (
        cron(NEW_YORK, "0,30 2 * * *"),
        "2026-03-08T00:00",
        ["2026-03-08T03:00-04:00 moved", "2026-03-09T02:00-04:00"],
    ),
    "a time in the gap yields to the time at its end": (
        cron(NEW_YORK, "0 2,3 * * *"),
        "2026-03-08T00:00",
        ["2026-03-08T03:00-04:00", "2026-03-09T02:00-04:00"],
    ),
    "the grid has no removed times": (
        every(NEW_YORK, 30),
        "2026-03-08T01:00",
        ["2026-03-08T01:30-05:00", "2026-03-08T03:00-04:00", "2026-03-08T03:30-04:00"],
    ),
    "a grid of two hours does not move": (
        every(NEW_YORK, 120),
        "2026-03-08T00:00",
        ["2026-03-08T04:00-04:00", "2026-03-08T06:00-04:00"],
    ),
    "the grid on Lord Howe": (
        every(LORD_HOWE, 20),
        "2026-10-04T01:20",
        ["2026-10-04T01:40+10:30", "2026-10-04T02:40+11:00", "2026-10-04T03:00+11:00"],
    ),
    "the grid over a missing midnight": (
        cron(SAO_PAULO, "*/30 0,1 15 10 *"),
        "2017-10-14T12:00",
        ["2017-10-15T01:00-02:00", "2017-10-15T01:30-02:00", "2018-10-15T00:00-03:00"],
    ),
    "the grid over the lost day": (
        every(APIA, 720),
        "2011-12-29T00:00",
        ["2011-12-29T12:00-10:00", "2011-12-31T00:00+14:00", "2011-12-31T12:00+14:00"],
    ),
}
OVERLAPS = {
    "New York: once, at the first": (
        daily(NEW_YORK, 1, 30),
        "2026-10-31T12:00",
        ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"],
    ),
    "not again from between the passes": (
        daily(NEW_YORK, 1, 30),
        "2026-11-01T01:10-05:00",
        ["2026-11-02T01:30-05:00"],
    ),
    "London": (
        daily(LONDON, 1, 0),
        "2026-10-24T12:00",
        ["2026-10-25T01:00+01:00", "2026-10-26T01:00+00:00"],
    ),
    "Lord Howe": (
        daily(LORD_HOWE, 1, 45),
        "2026-04-04T12:00",
        ["2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"],
    ),
    "Sao Paulo: before midnight": (
        daily(SAO_PAULO, 23),
        "2017-02-18T12:00",
        ["2017-02-18T23:00-02:00", "2017-02-19T23:00-03:00"],
    ),
    "the grid has no silent hour": (
        every(NEW_YORK, 30),
        "2026-11-01T01:00-04:00",
        ["2026-11-01T01:30-04:00", "2026-11-01T01:00-05:00", "2026-11-01T01:30-05:00"],
    ),
    "the peak grid neither": (
        peak(NEW_YORK, {1}),
        "2026-11-01T01:30-04:00",
        ["2026-11-01T01:45-04:00", "2026-11-01T01:00-05:00", "2026-11-01T01:15-05:00"],
    ),
    "the grid on Lord Howe": (
        every(LORD_HOWE, 20),
        "2026-04-05T01:20+11:00",
        ["2026-04-05T01:40+11:00", "2026-04-05T01:40+10:30", "2026-04-05T02:00+10:30"],
    ),
    "St John's: back over midnight into the day before": (
        every("America/St_Johns", 30),
        "2010-11-06T23:30-02:30",
        [
            "2010-11-07T00:00-02:30",
            "2010-11-06T23:30-03:30",
            "2010-11-07T00:00-03:30",
            "2010-11-07T00:30-03:30",
        ],
    ),
}


@pytest.mark.parametrize(
    ("timing", "after", "expected"),
    [
        pytest.param(*row, id=f"{name}: {title}")
        for name, table in {"plain": PLAIN, "gap": GAPS, "overlap": OVERLAPS}.items()
        for title, row in table.items()
    ],
)
def test_the_table(timing, after, expected):
    assert listed(timing, after, len(expected)) == expected


def listed(timing, after, count):
    """The next occurrences as local ISO times to the minute, "moved" where they were."""
    start = datetime.fromisoformat(after)
    if start.tzinfo is None:
        start = start.replace(tzinfo=ZoneInfo(timing.zone))
    return [
        occurrence.local.isoformat(timespec="minutes") + (" moved" if occurrence.moved else "")
        for occurrence in islice(occurrences(timing, start), count)
    ]
