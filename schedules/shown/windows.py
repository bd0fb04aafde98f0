"""Spans of time on a reader's clock. Lists filter by them and figures count by them, so that a
figure and the list behind it are the same rows."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
DAYS = {"today": 1, "week": 7, "weeks": 28}  # calendar days, today included


def start_of(name: str, zone: str, now: datetime) -> datetime:
    """The first moment of a span of DAYS."""
    return midnight(today(zone, now) - timedelta(days=DAYS[name] - 1), zone)


def hours(weekday: int, hour: int, zone: str, now: datetime) -> list[tuple[datetime, datetime]]:
    """This hour of the clock on each such weekday (0: Monday) of the last weeks: from, until. By
    quarters, of which an hour has none or eight where clocks are changed."""
    found, last = [], today(zone, now)
    for day in (last - timedelta(days=number) for number in range(DAYS["weeks"])):
        if day.weekday() == weekday:
            at, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
            while at < end:
                if at.astimezone(ZoneInfo(zone)).hour == hour:
                    found.append((at, at + QUARTER))
                at += QUARTER
    return found


def end_of_today(zone: str, now: datetime) -> datetime:
    return midnight(today(zone, now) + timedelta(days=1), zone)


def today(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: str) -> datetime:
    """The first moment of a day of this zone, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
