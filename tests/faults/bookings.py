"""Schedules as these tests register them, and what is expected of them."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.models import Room
from orgs.clock import database_now
from schedules.actions import register
from schedules.models import Delivery, Run, Schedule
from tests.faults.checker import violations
from tests.faults.vendors import Vendors
from tests.processes.machine import wait_until


@dataclass
class Bookings:
    """Registers schedules of one unit, remembers what is to come of them, and checks it."""

    make_schedule: Callable[..., Schedule]
    by: Any
    vendors: Vendors
    expected: set[tuple[int, datetime]] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def once(self, rooms: Sequence[Room], seconds: float = 2.0, **values: Any) -> Schedule:
        """Due once, on the first whole second that is at least so far ahead."""
        due = database_now() + timedelta(seconds=seconds + 1)
        due = due.replace(microsecond=0)
        number = next(self.numbers)
        draft = self.make_schedule(
            rooms=list(rooms),
            **{"text": f"Notice {number}", "title": f"Notice {number}",
               "date": due.date(), "time": due.time()} | values,
        )  # fmt: skip
        return self.remember(register(draft, by=self.by))

    def remember(self, schedule: Schedule) -> Schedule:
        """What was registered is expected to run."""
        schedule.refresh_from_db()
        assert schedule.next_due_at is not None
        self.expected.add((schedule.pk, schedule.next_due_at))
        return schedule

    def are_settled(self) -> bool:
        """Whether every run that is expected is there and has ended."""
        ended = Run.objects.filter(completed_at__isnull=False).count()
        is_open = Delivery.objects.filter(state__in=["planned", "sending"]).exists()
        return ended >= len(self.expected) and not is_open

    def wait_until_settled(self, seconds: float = 90.0) -> None:
        wait_until(self.are_settled, seconds, "the end of every run")

    def violations(self, **what: Any) -> list[str]:
        """What the checker has to say of all this."""
        return violations(self.vendors.accepted, expected=self.expected, **what)


def states(channel: str) -> list[str]:
    """The states of this channel's deliveries, in order."""
    rows = Delivery.objects.filter(channel=channel).order_by("id")
    return list(rows.values_list("state", flat=True))


def wait_for_leases(seconds: float = 60.0) -> None:
    """Return when no claim of now is good any more, even if nobody takes it back."""
    leases = Delivery.objects.filter(lease_until__isnull=False).order_by("-lease_until")
    last = leases.values_list("lease_until", flat=True).first() or datetime.now(UTC)
    wait_until(lambda: database_now() > last + timedelta(seconds=0.2), seconds, "the leases' end")


def wait_while_open(seconds: float) -> bool:
    """Give the others so many seconds to end every delivery; whether they did."""
    end = time.monotonic() + seconds
    while Delivery.objects.filter(state__in=["planned", "sending"]).exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
