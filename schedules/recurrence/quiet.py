"""Quiet hours: the part of each day in which nothing is sent."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .moments import first_moment


@dataclass(frozen=True)
class Quiet:
    """From one time on the clock until another, past midnight where it is the earlier one."""

    begins: time
    ends: time
    zone: str

    def end_around(self, moment: datetime) -> datetime | None:
        """When the quiet hours end in which this moment lies, in UTC; None outside of them.
        Their beginning belongs to them, their end does not."""
        zone = ZoneInfo(self.zone)
        today = moment.astimezone(zone).date()
        over = timedelta(days=self.ends <= self.begins)
        for day in (today - timedelta(days=1), today):
            begin = first_moment(datetime.combine(day, self.begins), zone).due_at
            end = first_moment(datetime.combine(day + over, self.ends), zone).due_at
            if begin <= moment < end:
                return end.astimezone(UTC)
        return None
