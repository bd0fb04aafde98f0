"""The quotas of accounts: used, reserved, left, and when they run out; all within reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.models import QuotaReading
from orgs.reach import within
from schedules.forecast import Forecast, Item, forecasts, standing
from schedules.models import Schedule

NAMED = 10  # schedules that are named as evidence
COMPARED = 200  # accounts among which the scarcest are found
NEAREST = 3
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Shown:
    """Of one account. `items`: the dearest schedules that the viewer reaches; `others`: what all
    others add."""

    forecast: Forecast
    items: list[Item]
    others: int

    @property
    def reading(self) -> QuotaReading:
        return self.forecast.reading

    @property
    def used(self) -> int:
        return self.forecast.spent.accepted

    @property
    def reserved(self) -> int:
        return self.forecast.spent.reserved

    @property
    def left(self) -> int | None:
        return self.forecast.left

    @property
    def is_short(self) -> bool:
        """Not all that comes this month fits."""
        return self.forecast.runs_out_at is not None or self.left == 0

    def lasts(self, now: datetime) -> int | None:
        """How many more days at the pace of this month; None where nothing says so: there is no
        limit, or nothing is used."""
        month = self.reading.month(now)
        elapsed, spent = max(now - month.start, DAY), self.forecast.spent.total
        if self.left is None or not spent:
            return None
        return int(self.left * (elapsed / DAY) / spent)

    @property
    def percents(self) -> dict[str, int]:
        """The parts of a bar: used, reserved, coming. Together at most 100."""
        limit = self.reading.limit or 0
        room, parts = 100, {}
        amounts = {"used": self.used, "reserved": self.reserved, "coming": self.forecast.coming}
        for name, count in amounts.items():
            share = round(100 * count / limit) if limit else 100 * bool(count)
            parts[name] = min(max(share, 1 if count else 0), room)
            room -= parts[name]
        return parts


def quotas(readings: Sequence[QuotaReading], *, by: Any, now: datetime) -> list[Shown]:
    """As `by` may see them. The readings are within reach already, and bring their account."""
    found = forecasts(readings, now)
    ids = {item.schedule.pk for forecast in found.values() for item in forecast.items}
    reached = within(by, Schedule.objects.filter(pk__in=ids)).values_list("pk", flat=True)
    seen = set(reached) if ids else set()
    return [_shown(found[reading.account_id], seen) for reading in readings]


def scarcest(*, by: Any, now: datetime) -> list[Shown]:
    """Of the accounts within reach that have a limit, those that are nearest to it."""
    readings = within(by, QuotaReading.objects.filter(limit__gt=0)).select_related("account")
    found = standing(list(readings.order_by("-used")[:COMPARED]), now).values()
    shown = [Shown(forecast, [], 0) for forecast in found]
    return sorted(shown, key=lambda one: (one.left or 0) / (one.reading.limit or 1))[:NEAREST]


def _shown(forecast: Forecast, seen: set[int]) -> Shown:
    items = [item for item in forecast.items if item.schedule.pk in seen][:NAMED]
    return Shown(forecast, items, forecast.coming - sum(item.messages for item in items))
