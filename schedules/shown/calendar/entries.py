"""What the calendar shows: what went, by its runs; what is to go, as the planner reckons it.

Bounded on every side, whatever there is: so many of a day, so many schedules, so many times. What
was left away is said.
"""

from datetime import datetime

from schedules.shown.calendar.ahead import entries_ahead
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.entry import Shown
from schedules.shown.calendar.gone import entries_gone

MOST = 1_500  # entries of a range, shared by its days
MOST_LISTED = 300  # the same of a list, each of whose lines the server draws
OF_A_DAY = (35, 500)  # at least, at most


def entries_of(asked: Asked, now: datetime, *, most_in_all: int = MOST) -> Shown:
    """What the calendar shows of these days, about so many in all."""
    shown = Shown()
    if asked.is_void:
        return shown
    most = min(max(most_in_all // len(asked.days), OF_A_DAY[0]), OF_A_DAY[1])
    gone = entries_gone(asked, shown, most, now)
    coming = entries_ahead(asked, shown, most, now, {(row.schedule_id, row.due_at) for row in gone})
    shown.entries = sorted([*gone, *coming], key=lambda row: (row.due_at, row.schedule_id))
    return shown
