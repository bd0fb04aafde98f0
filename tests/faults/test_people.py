"""People pause, change, cancel and delete in the very second in which it leaves."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from orgs.clock import database_now
from schedules.actions import Refused, begin_edit, cancel, change, delete, pause
from schedules.models import Run, Schedule
from tests.faults.bookings import wait_while_open
from tests.processes.machine import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SCHEDULES = 32
PEOPLE = 4
EARLIEST, LATEST = -0.5, 0.5  # seconds around the appointed time


def edit(schedule: Schedule, *, by: Any) -> None:
    copy = begin_edit(schedule, by=by)
    Schedule.objects.filter(pk=copy.pk).update(text=f"{schedule.text}, corrected")
    copy.refresh_from_db()
    change(copy, by=by)


def move(schedule: Schedule, *, by: Any) -> None:
    """To another time of the day, an hour away."""
    copy = begin_edit(schedule, by=by)
    later = datetime.combine(schedule.date, schedule.time) + timedelta(hours=1)
    Schedule.objects.filter(pk=copy.pk).update(date=later.date(), time=later.time())
    copy.refresh_from_db()
    change(copy, by=by)


def do_at(moment: float, act: Callable[..., Any], schedule: Schedule, by: Any) -> None:
    time.sleep(max(moment - time.time(), 0))
    with suppress(Refused):  # it may be too late for that: which is an answer, too
        act(schedule, by=by)


@pytest.mark.usefixtures("own_server")
def test_nothing_leaves_twice_and_nothing_vanishes(workers, bookings, vendors, world):
    by = world.people["hq"]
    members = [workers.worker(), workers.worker()]
    workers.wait_until_up(*members)
    schedules = [bookings.once(vendors.rooms(2, 1), 8) for _ in range(SCHEDULES)]
    due_at = max(schedule.next_due_at for schedule in schedules)
    chance = random.Random(20260101)
    acts = [
        (schedule.next_due_at.timestamp() + chance.uniform(EARLIEST, LATEST),
         chance.choice([edit, edit, move, pause, cancel, delete]), schedule, by)
        for schedule in schedules
    ]  # fmt: skip
    act_all(sorted(acts, key=lambda act: act[0]))
    pass_over(due_at)
    assert wait_while_open(60)
    there = set(Run.objects.values_list("schedule_id", "due_at"))
    bookings.expected = there  # what was withdrawn in time is no run
    assert bookings.violations() == []
    arrivals = Counter((entry.to, number_of(entry)) for entry in vendors.accepted)
    assert set(arrivals.values()) == {1}
    for _, act, schedule, _ in acts:
        check(schedule, act, sum(count for (_, n), count in arrivals.items()
                                 if n == number_of_text(schedule.text)))  # fmt: skip


def check(schedule: Schedule, act: Callable[..., Any], arrived: int) -> None:
    """An edit lets it go, the old or the new; what stops it stops all rooms or says it was late."""
    states = list(Run.objects.filter(schedule=schedule).values_list("state", flat=True))
    if act is edit:
        assert (arrived, states) == (3, ["sent"])
    elif arrived == 0:
        assert states in ([], ["cancelled"])  # moved: its new run is planned in an hour
    else:
        assert states in (["sent"], ["partial"])


def act_all(acts: list[Any]) -> None:
    def one_person(mine: list[Any]) -> None:
        try:
            for act in mine:
                do_at(*act)
        finally:
            connections.close_all()

    people = [threading.Thread(target=one_person, args=(acts[n::PEOPLE],)) for n in range(PEOPLE)]
    for person in people:
        person.start()
    for person in people:
        person.join(60)


def pass_over(due_at: datetime) -> None:
    wait_until(lambda: (database_now() - due_at).total_seconds() > 2, 60, "the due second")


def number_of(entry: Any) -> str:
    return number_of_text(entry.messages[0]["text"])


def number_of_text(text: str) -> str:
    return text.removesuffix(", corrected")
