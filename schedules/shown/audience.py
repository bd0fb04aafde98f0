"""How many people a schedule's audience has at this moment, for those who may know."""

from dataclasses import dataclass
from typing import Any

from channels.models import Audience
from orgs.reach import within
from schedules.models import Schedule
from schedules.shown import drift

COUNTED = 20_000  # people that a page counts at most


@dataclass(frozen=True)
class Shown:
    """`is_counted`: that many; otherwise there are more. `expected`: when it was registered."""

    name: str
    count: int
    is_counted: bool
    expected: int | None = None

    @property
    def drift(self) -> str:
        """How far it has drifted since; "" where there is nothing to say."""
        if not self.is_counted or self.expected in (None, self.count):
            return ""
        return drift.in_words(self.count, self.expected)


def audience_of(schedule: Schedule, *, by: Any) -> Shown | None:
    """None: it goes to rooms, or the audience is out of the viewer's reach."""
    reached = within(by, Audience.objects.filter(pk=schedule.audience_id or 0))
    audience = reached.select_related("account", "unit").first()
    if audience is None:
        return None
    count = audience.count(up_to=COUNTED + 1)
    is_counted = count <= COUNTED
    return Shown(audience.name, min(count, COUNTED), is_counted, schedule.expected)
