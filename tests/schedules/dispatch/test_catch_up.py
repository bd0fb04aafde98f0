"""After an outage: what is late by less than the grace is sent and its lateness shown; the rest
is skipped and said, once for each time that was missed, and never sent."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from channels.models import Account
from schedules.actions import register
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import sweep
from schedules.models import Delivery, Run, Schedule
from tests.schedules.at_once import act_at
from tests.schedules.conftest import SECOND, accepted, claim_at, plan_at

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, timedelta(days=1)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NO_DATE = {"date": None, "time": None}
TIMINGS = {
    "once": {"timing_kind": "once", "date": NINE.date(), "time": NINE.time()},
    "daily": {"timing_kind": "daily", "date": None, "time": NINE.time()},
    "every 5 minutes": {"timing_kind": "interval", "every_minutes": 5, **NO_DATE},
    "every minute": {"timing_kind": "interval", "every_minutes": 1, **NO_DATE},
    "peak": {
        "timing_kind": "peak", "every_minutes": 60, "peak_minutes": 10,
        "peak_hours": [9, 10, 11], **NO_DATE,
    },
}  # fmt: skip


@pytest.fixture
def registered(world, make_schedule, monkeypatch):
    """A schedule of this timing whose first time is nine o’clock."""

    def make(timing: str, **values) -> Schedule:
        act_at(monkeypatch, NINE - SECOND)
        schedule = register(make_schedule(**TIMINGS[timing], **values), by=world.people["hq"])
        assert schedule.next_due_at == NINE
        return schedule

    return make


def come_back(now: datetime) -> None:
    """Everything is up again: it works until nothing is left to do at this moment."""
    while plan(now):
        pass
    while claimed := claim_at(now):
        marked, barred = mark_wire(claimed, now)[:2]
        settle([accepted(delivery, now) for delivery in claimed if delivery.id in marked])
        settle([Outcome(delivery, False, False, now, barred=barred[delivery.id])
                for delivery in claimed if delivery.id in barred])  # fmt: skip
    sweep(now)


def came_of_it(until: datetime) -> tuple[int, int]:
    """How many that were due by then were sent, and how many are shown as missed."""
    runs = Counter(Run.objects.filter(due_at__lte=until).values_list("state", "reason"))
    sent = runs.pop(("sent", ""), 0)
    missed = runs.pop(("skipped", "missed"), 0)
    assert not runs
    return sent, missed


@pytest.mark.parametrize(
    ("timing", "down_for", "expected"),
    [
        ("once", MINUTE, (1, 0)),
        ("once", 3 * HOUR, (0, 1)),
        ("once", 2 * DAY, (0, 1)),
        ("daily", MINUTE, (1, 0)),
        ("daily", 3 * HOUR, (0, 1)),
        ("daily", 2 * DAY + MINUTE, (1, 2)),
        ("every 5 minutes", MINUTE, (1, 0)),
        ("every 5 minutes", 3 * HOUR + MINUTE, (2, 35)),
        ("every 5 minutes", 2 * DAY + MINUTE, (2, 575)),
        ("peak", MINUTE, (1, 0)),
        ("peak", 2 * HOUR + MINUTE, (1, 12)),
        ("peak", 2 * DAY + MINUTE, (1, 78)),
    ],
)
def test_what_is_within_the_grace_goes_and_the_rest_is_said(registered, timing, down_for, expected):
    registered(timing)
    back_at = NINE + down_for
    come_back(back_at)
    assert came_of_it(back_at) == expected
    for delivery in Delivery.objects.filter(state="sent"):
        assert delivery.lateness_ms == (back_at - delivery.due_at) / timedelta(milliseconds=1)


@pytest.mark.parametrize("down_for", [MINUTE, 9 * MINUTE, 3 * HOUR, 2 * DAY])
def test_a_room_gets_no_more_than_fits_into_the_grace(registered, settings, down_for):
    registered("every minute")
    back_at = NINE + down_for + SECOND
    come_back(back_at)
    sent, missed = came_of_it(back_at)
    assert sent == min(down_for, settings.TEIJI_GRACE_SECONDS * SECOND - MINUTE) // MINUTE + 1
    assert sent + missed == down_for // MINUTE + 1
    oldest = Delivery.objects.filter(state="sent").earliest("due_at")
    assert back_at - oldest.due_at <= settings.TEIJI_GRACE_SECONDS * SECOND


@pytest.mark.parametrize("timing", TIMINGS)
def test_coming_back_twice_sends_nothing_twice(registered, timing):
    registered(timing)
    come_back(NINE + 3 * HOUR)
    before = list(Delivery.objects.order_by("id").values())
    come_back(NINE + 3 * HOUR)
    assert list(Delivery.objects.order_by("id").values()) == before


def test_after_the_outage_the_next_time_is_the_next_time(registered):
    schedule = registered("daily")
    come_back(NINE + 3 * HOUR)
    schedule.refresh_from_db()
    assert (schedule.state, schedule.next_due_at) == ("active", NINE + DAY)
    come_back(NINE + DAY)
    assert came_of_it(NINE + DAY) == (1, 1)


def test_a_missed_one_off_has_done_its_work_and_says_why(registered):
    schedule = registered("once")
    come_back(NINE + 3 * HOUR)
    schedule.refresh_from_db()
    assert schedule.state == "completed"
    assert Run.objects.get().get_reason_display() == "its time passed while nothing could be sent"


@pytest.mark.parametrize(("down_for", "state"), [(MINUTE, "sent"), (3 * HOUR, "skipped")])
def test_what_was_planned_before_the_outage_fares_the_same(registered, down_for, state):
    (planned,) = plan_at(registered("once"), NINE - 5 * SECOND)
    come_back(NINE + down_for)
    planned.refresh_from_db()
    assert planned.state == planned.run.state == state
    assert planned.reason == ("missed" if state == "skipped" else "")


@pytest.mark.parametrize(("down_for", "state"), [(MINUTE, "sent"), (3 * HOUR, "skipped")])
def test_what_a_worker_had_claimed_when_all_went_down_fares_the_same(registered, down_for, state):
    plan_at(registered("once"), NINE)
    claim_at(NINE)
    sweep(NINE + down_for)
    come_back(NINE + down_for)
    assert Delivery.objects.get().state == state


@pytest.mark.parametrize("down_for", [MINUTE, 3 * HOUR, 2 * DAY])
def test_what_was_on_the_wire_without_a_key_is_for_a_person_however_long_it_took(
    registered, down_for
):
    Account.objects.update(config={"honours_key": "no"})
    plan_at(registered("once"), NINE)
    mark_wire(claim_at(NINE), NINE)
    for _ in range(2):
        come_back(NINE + down_for)
    assert Delivery.objects.get().state == "unconfirmed"


def test_what_was_on_the_wire_with_a_key_is_not_sent_two_days_late(registered):
    plan_at(registered("once"), NINE)
    mark_wire(claim_at(NINE), NINE)
    for _ in range(2):
        come_back(NINE + 2 * DAY)
    assert Delivery.objects.get().state == "unconfirmed"


def test_what_is_due_now_is_planned_before_what_was_missed_is_written_down(
    world, make_schedule, registered, monkeypatch
):
    """Of thousands of schedules that takes minutes."""
    missed = registered("every minute")
    now = NINE + 3 * HOUR
    due = make_schedule(date=now.date(), time=now.time(), text="Due", title="Due")
    register(due, by=world.people["hq"])
    assert plan(now) == 1
    assert Run.objects.get().schedule == due
    come_back(now)
    assert Run.objects.filter(schedule=missed, reason="missed").count() > 160


def test_a_turn_of_planning_is_short_however_much_was_missed(registered, monkeypatch):
    monkeypatch.setattr("schedules.dispatch.plan.RUNS_A_TURN", 100)
    registered("every minute")
    registered("every minute", title="Another", text="Another")
    now = NINE + 3 * HOUR
    assert plan(now) < 250
    come_back(now)
    assert Run.objects.filter(reason="missed").count() > 320
