"""The figures at the head of the start page, and how the success went."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from orgs.reach import within
from schedules.models import Delivery, Schedule
from schedules.outcomes.counts import Counts
from schedules.shown import windows
from schedules.shown.figures import Day, Figures
from schedules.shown.narrowed import log_of, schedules_of
from schedules.shown.trend import Trend, trend_of

COUNTED = 10_001  # as many as a list counts


@dataclass(frozen=True)
class Card:
    """A figure, what it counts, and the list of that. `tone` calls for attention."""

    number: int
    words: str
    span: str
    address: str
    tone: str = ""
    most: int | None = None  # up to which it was counted

    @property
    def shown(self) -> str:
        is_more = self.most is not None and self.number >= self.most
        return f"{self.number - is_more:,}{'+' if is_more else ''}"


@dataclass(frozen=True)
class Success:
    """Percent of what was tried that was sent, of these weeks and of those before."""

    counts: Counts
    percent: str
    before: str
    points: float | None
    trend: Trend
    days: list[Day]
    first: date
    last: date
    address: str

    @property
    def only(self) -> Day | None:
        """The day with all that was tried, where it is one."""
        tried = [day for day in self.days if day.counts.tried]
        return tried[0] if len(tried) == 1 else None

    @property
    def floor(self) -> str:
        return percent(self.trend.floor)


@dataclass(frozen=True)
class Numbers:
    """What is due, went, failed, and waits for a person. Those that are still to be looked at are
    counted up to COUNTED."""

    due: int
    today: Counts
    week: Counts
    unsure: int


def numbers_of(user: Any, figures: Figures, now: datetime) -> Numbers:
    coming: Any = within(user, Schedule.objects.present())
    return Numbers(
        due=_count(coming.going_before(windows.end_of_today(figures.zone, now))),
        today=figures.last(windows.DAYS["today"]),
        week=figures.last(windows.DAYS["week"]),
        unsure=_count(within(user, Delivery.objects.to_decide())),
    )


def cards_of(user: Any, figures: Figures, now: datetime) -> list[Card]:
    """Those numbers, each with the list that it counts."""
    found = numbers_of(user, figures, now)
    due, today, week, unsure = found.due, found.today, found.week, found.unsure
    return [
        Card(due, _("schedules are still due"), _("today"), schedules_of(next="today"),
             most=COUNTED),
        Card(today.sent, _("sent"), _("today"), log_of(appointed="today", outcome="sent")),
        Card(week.sent, _("sent"), _("in 7 days"), log_of(appointed="week", outcome="sent")),
        Card(week.failed, _("failed"), _("in 7 days"),
             log_of(appointed="week", outcome="failed"), "danger" if week.failed else ""),
        Card(unsure, _("not confirmed"), _("waiting for a decision"),
             reverse("not-confirmed"), "warning" if unsure else "", COUNTED),
    ]  # fmt: skip


def success_of(figures: Figures) -> Success:
    """Day by day, beside the weeks before."""
    days, now, before = figures.days, figures.total, figures.before
    share, earlier = now.success, before.success
    return Success(
        counts=now,
        percent=percent(share),
        before=percent(earlier),
        points=None if share is None or earlier is None else round(100 * (share - earlier), 1),
        trend=trend_of([day.counts.success for day in days], [day.before.success for day in days]),
        days=[day for day in days if day.counts.total or day.before.total],
        first=days[0].day,
        last=days[-1].day,
        address=log_of(appointed="weeks", outcome="sent"),
    )


def percent(share: float | None) -> str:
    """“98.7 %”. What is not all is never rounded to all."""
    if share is None:
        return "–"
    tenths = int(1000 * share + 1e-9)
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"


def _count(rows: QuerySet) -> int:
    return rows.order_by()[:COUNTED].count()
