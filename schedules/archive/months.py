"""Months of UTC, by their first day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.db.models import Min

from schedules.archive.trouble import Trouble
from schedules.models import ArchivedMonth, Run

# What is this young may still be asked for by a catch-up, a retry or a key.
YOUNGEST = timedelta(days=31)


def month_of(moment: datetime) -> date:
    """The month in which this moment lies."""
    return moment.astimezone(UTC).date().replace(day=1)


def following(month: date) -> date:
    """The first day of the next month."""
    return (month + timedelta(days=31)).replace(day=1)


def before(month: date, count: int) -> date:
    """The month so many months earlier."""
    years, rest = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(years, rest + 1, 1)


def start_of(month: date) -> datetime:
    """Its first moment."""
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def span(month: date) -> tuple[datetime, datetime]:
    """Its first moment, and that of the next."""
    return start_of(month), start_of(following(month))


def read_month(text: str) -> date:
    """“2026-01”. Raises Trouble."""
    try:
        month = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
        span(month)
        return month
    except (ValueError, OverflowError):  # the last of all months has no end
        raise Trouble(f"“{text}” is not a month. Write one like 2026-01.") from None


def refuse_young(month: date, now: datetime) -> None:
    """Raises Trouble for a month that is not over for long enough."""
    _start, end = span(month)
    if end + YOUNGEST > now:
        first = (end + YOUNGEST).date().isoformat()
        raise Trouble(f"{month:%Y-%m} is too young: it can be archived from {first} on.")


def to_archive(now: datetime, *, keep: int) -> Iterator[date]:
    """The months with runs in the log, the oldest first, but for the last `keep` whole ones."""
    first = Run.objects.aggregate(at=Min("due_at"))["at"]
    end = before(month_of(now), max(keep, 1))
    month = month_of(first) if first else end
    while month < end and start_of(following(month)) + YOUNGEST <= now:
        if Run.objects.filter(due_at__range=_within(month)).exists():
            yield month
        month = following(month)


def to_forget(now: datetime, *, keep: int) -> list[ArchivedMonth]:
    """The archived months that the retention no longer keeps; `keep` 0: none."""
    if not keep:
        return []
    end = before(month_of(now), keep)
    return list(ArchivedMonth.objects.filter(month__lt=end, removed_at=None).order_by("month"))


def _within(month: date) -> tuple[datetime, datetime]:
    start, end = span(month)
    return start, end - timedelta(microseconds=1)
