"""Single occurrences: left out, put at another time, given another text; before it is too late."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.models import History
from schedules import forecast, rules
from schedules.actions import (
    OutOfReach,
    Refused,
    begin_edit,
    change,
    change_one,
    pause,
    register,
    resume,
    shift,
    take_back_one,
)
from schedules.models import Delivery, OccurrenceChange, Run
from schedules.models.delivery import delivery_key
from schedules.recurrence import Change
from tests.schedules.at_once import (
    act_at,
    at_once,
    on_postgresql,
    outcome_of,
    start,
    wait_until_blocked,
)
from tests.schedules.conftest import SECOND, on_the_wire, plan_at

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOW = datetime(2027, 3, 10, 3, 30, tzinfo=UTC)
FIRST = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)
SKIP = Change(skips=True)


@pytest.fixture
def person(world):
    return world.people["xinyi"]


@pytest.fixture
def daily(make_schedule, person, monkeypatch):
    """At 09:00 each day, registered at NOW."""
    act_at(monkeypatch, NOW)
    return register(make_schedule(timing_kind="daily", time=time(9), date=None), by=person)


def times(schedule, count=3):
    schedule.refresh_from_db()
    return [(one.due_at, one.skipped) for one in rules.preview(schedule, NOW, count)]


def test_one_is_left_out_and_the_others_go(daily, person):
    change_one(daily, FIRST, SKIP, by=person)
    assert times(daily, 2) == [(FIRST, "left_out"), (FIRST + DAY, "")]
    assert plan_at(daily, FIRST) == []
    run = Run.objects.get()
    assert (run.state, run.reason, run.due_at) == ("skipped", "left_out", FIRST)
    assert plan_at(daily, FIRST + DAY)


@pytest.mark.parametrize("away", [-HOUR, 5 * HOUR, 30 * HOUR])
def test_one_goes_at_another_time_and_at_its_own_nothing(daily, person, away):
    change_one(daily, FIRST, Change(due_at=FIRST + away), by=person)
    daily.refresh_from_db()
    assert daily.next_due_at == min(FIRST + away, FIRST + DAY)
    for at in sorted({FIRST, FIRST + away, FIRST + DAY}):
        plan_at(daily, at)
    runs = Run.objects.order_by("due_at").values_list("due_at", "first_due_at")
    assert list(runs) == sorted([(FIRST + away, FIRST), (FIRST + DAY, None)])


def test_its_key_stays_that_of_the_time_which_the_rule_appoints(world, daily, person):
    change_one(daily, FIRST, Change(due_at=FIRST + HOUR), by=person)
    (delivery,) = plan_at(daily, FIRST + HOUR)
    assert delivery.due_at == delivery.next_try_at == FIRST + HOUR
    assert delivery.key == delivery_key(daily.uid, FIRST, "sandbox", world.room.address)


def test_one_goes_with_another_text(world, daily, person):
    change_one(daily, FIRST, Change(text="Only today"), by=person)
    plan_at(daily, FIRST)
    plan_at(daily, FIRST + DAY)
    texts = [run.content["text"] for run in Run.objects.order_by("due_at")]
    assert texts == ["Only today", "Good morning"]
    run = Run.objects.earliest("due_at")
    assert run.payloads[str(world.sandbox.pk)][0]["messages"][0]["text"] == "Only today"


def test_one_goes_at_another_time_with_another_text(daily, person):
    change_one(daily, FIRST, Change(due_at=FIRST + HOUR, text="Later"), by=person)
    plan_at(daily, FIRST + HOUR)
    run = Run.objects.get()
    assert (run.due_at, run.content["text"]) == (FIRST + HOUR, "Later")


@pytest.mark.parametrize("wanted", [SKIP, Change(due_at=FIRST + HOUR), Change(text="Other")])
def test_a_change_is_taken_back(daily, person, wanted):
    change_one(daily, FIRST, wanted, by=person)
    take_back_one(daily, FIRST, by=person)
    assert times(daily, 2) == [(FIRST, ""), (FIRST + DAY, "")]
    assert daily.next_due_at == FIRST
    plan_at(daily, FIRST)
    assert Run.objects.get().content["text"] == "Good morning"
    verbs = list(History.objects.order_by("id").values_list("verb", flat=True))
    assert verbs[-2:] == ["occurrence_changed", "occurrence_restored"]


def test_what_is_planned_but_not_handed_over_can_still_be_changed(daily, person, monkeypatch):
    plan_at(daily, FIRST - SECOND)
    act_at(monkeypatch, FIRST - SECOND)
    change_one(daily, FIRST, Change(due_at=FIRST + HOUR), by=person)
    assert not Run.objects.exists() and not Delivery.objects.exists()
    plan_at(daily, FIRST)
    assert not Run.objects.exists()
    plan_at(daily, FIRST + HOUR)
    assert Run.objects.get().due_at == FIRST + HOUR


def test_what_is_on_the_wire_ahead_of_its_second_is_not_changed_any_more(
    daily, person, monkeypatch
):
    plan_at(daily, FIRST - SECOND)
    act_at(monkeypatch, FIRST - SECOND)
    assert on_the_wire(FIRST)
    for wanted in (SKIP, Change(due_at=FIRST + HOUR), Change(text="Other")):
        with pytest.raises(Refused, match="too late"):
            change_one(daily, FIRST, wanted, by=person)
    assert Run.objects.get().due_at == FIRST
    assert not OccurrenceChange.objects.exists()


@pytest.mark.parametrize("is_planned", [True, False])
def test_once_its_time_has_come_it_is_too_late(daily, person, monkeypatch, is_planned):
    if is_planned:
        plan_at(daily, FIRST)
    act_at(monkeypatch, FIRST)
    with pytest.raises(Refused, match="too late"):
        change_one(daily, FIRST, SKIP, by=person)


def test_what_was_sent_at_its_new_time_cannot_be_taken_back(daily, person, monkeypatch):
    change_one(daily, FIRST + DAY, Change(due_at=FIRST - HOUR), by=person)
    plan_at(daily, FIRST - HOUR)
    act_at(monkeypatch, FIRST - HOUR)
    with pytest.raises(Refused, match="too late"):
        take_back_one(daily, FIRST + DAY, by=person)


def test_what_was_moved_past_its_own_time_cannot_go_back_there(daily, person, monkeypatch):
    change_one(daily, FIRST, Change(due_at=FIRST + 5 * HOUR), by=person)
    act_at(monkeypatch, FIRST + HOUR)
    with pytest.raises(Refused, match="has passed"):
        take_back_one(daily, FIRST, by=person)
    change_one(daily, FIRST, Change(due_at=FIRST + 6 * HOUR), by=person)  # elsewhere it may
    plan_at(daily, FIRST + 6 * HOUR)
    assert Run.objects.get().due_at == FIRST + 6 * HOUR


def test_no_time_is_taken_twice(daily, person):
    with pytest.raises(Refused, match="Another one"):
        change_one(daily, FIRST, Change(due_at=FIRST + DAY), by=person)
    change_one(daily, FIRST + DAY, Change(due_at=FIRST + DAY + HOUR), by=person)
    change_one(daily, FIRST, Change(due_at=FIRST + DAY), by=person)  # it is free now
    with pytest.raises(Refused, match="Another one"):
        take_back_one(daily, FIRST + DAY, by=person)
    plan_at(daily, FIRST + DAY)
    plan_at(daily, FIRST + DAY + HOUR)
    runs = Run.objects.order_by("due_at").values_list("due_at", "first_due_at")
    assert list(runs) == [(FIRST + DAY, FIRST), (FIRST + DAY + HOUR, FIRST + DAY)]


def test_a_time_that_does_not_go_is_told_by_its_field(daily, person, world):
    def why(due_at):
        with pytest.raises(Refused) as refused:
            change_one(daily, FIRST, Change(due_at=due_at), by=person)
        return refused.value.problems["due_at"][0]

    assert "passed" in why(NOW - SECOND)
    daily.valid_until = FIRST + 5 * DAY
    daily.save()
    assert "validity" in why(FIRST + 6 * DAY)
    world.xinyi.quiet_from, world.xinyi.quiet_until = time(22), time(6)
    world.xinyi.save()
    zone = world.xinyi.zone
    assert f"from 22:00 to 06:00 ({zone})" in why(FIRST + timedelta(hours=7))


def test_a_holiday_can_be_made_up_for_on_another_day(make_schedule, person, monkeypatch):
    act_at(monkeypatch, NOW)
    timing = {"timing_kind": "daily", "time": time(9), "date": None}
    schedule = register(make_schedule(**timing, skip_dates=["2027-03-10"]), by=person)
    with pytest.raises(Refused, match="left out already"):
        change_one(schedule, FIRST, SKIP, by=person)
    change_one(schedule, FIRST, Change(due_at=FIRST + HOUR), by=person)
    assert times(schedule, 2) == [(FIRST + HOUR, ""), (FIRST + DAY, "")]


def test_only_a_time_of_the_schedule_can_be_changed(daily, person):
    with pytest.raises(OutOfReach, match="no such time"):
        change_one(daily, FIRST + HOUR, SKIP, by=person)


def test_a_text_that_the_channel_would_not_take_is_refused(daily, person):
    with pytest.raises(Refused) as refused:
        change_one(daily, FIRST, Change(text="{nobody_has_this}"), by=person)
    assert "text" in refused.value.problems


def test_strangers_and_those_beside_it_may_not(daily, world):
    for name in ("stranger", "tainan"):
        with pytest.raises(OutOfReach):
            change_one(daily, FIRST, SKIP, by=world.people[name])


def test_after_its_rule_was_edited_a_change_does_nothing_and_nothing_elsewhere(daily, person):
    change_one(daily, FIRST, Change(due_at=FIRST + HOUR), by=person)
    change_one(daily, FIRST + DAY, SKIP, by=person)
    copy = begin_edit(daily, by=person)
    copy.time = time(11)
    copy.save()
    change(copy, by=person)
    assert times(daily, 2) == [(FIRST + 2 * HOUR, ""), (FIRST + DAY + 2 * HOUR, "")]
    take_back_one(daily, FIRST, by=person)  # it is only removed
    assert OccurrenceChange.objects.get().appointed_at == FIRST + DAY


def test_a_shifted_schedule_leaves_its_changes_behind(daily, person):
    change_one(daily, FIRST, SKIP, by=person)
    shift(daily, by=person, span=HOUR)
    assert times(daily, 1) == [(FIRST + HOUR, "")]


def test_a_paused_one_keeps_its_changes(daily, person):
    pause(daily, by=person)
    change_one(daily, FIRST, Change(due_at=FIRST - HOUR), by=person)
    daily.refresh_from_db()
    assert daily.next_due_at is None
    assert resume(daily, by=person).next_due_at == FIRST - HOUR


def test_the_history_tells_what_was_changed(daily, person):
    change_one(daily, FIRST, Change(due_at=FIRST + HOUR), by=person)
    change_one(daily, FIRST, SKIP, by=person)
    entry = History.objects.first()
    assert entry.actor == person.get_username()
    assert entry.changes == {
        "appointed_at": FIRST.isoformat(),
        "left_out": [False, True],
        "another_time": [(FIRST + HOUR).isoformat(), ""],
    }


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"skips": True, "text": "Other"},
        {"skips": True, "due_at": FIRST + HOUR},
        {"due_at": FIRST},
    ],
)
def test_a_wrong_combination_cannot_be_stored(daily, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        OccurrenceChange.objects.create(
            schedule=daily, appointed_at=FIRST, changed_at=NOW, changed_by="x", **values
        )


def test_two_runs_of_one_occurrence_are_impossible_wherever_it_was_moved(daily, person):
    plan_at(daily, FIRST)
    run = Run.objects.get()
    run.pk, run.due_at, run.first_due_at = None, FIRST + HOUR, FIRST
    with pytest.raises(IntegrityError), transaction.atomic():
        run.save(force_insert=True)


@on_postgresql
@pytest.mark.django_db(transaction=True)
class TestAtTheSecond:
    """Of a plan and a change at the same moment, one is first."""

    def test_a_change_waits_for_the_planner_and_then_takes_its_run_back(
        self, daily, person, monkeypatch
    ):
        act_at(monkeypatch, FIRST - SECOND)
        with transaction.atomic():
            plan_at(daily, FIRST - SECOND)
            other = start(change_one, daily, FIRST, Change(due_at=FIRST + HOUR), by=person)
            wait_until_blocked(other)
        assert isinstance(outcome_of(other), OccurrenceChange)
        plan_at(daily, FIRST + HOUR)
        assert list(Run.objects.values_list("due_at", flat=True)) == [FIRST + HOUR]

    def test_old_or_new_and_never_both(self, daily, person, monkeypatch):
        for number in range(6):
            at = FIRST + number * DAY
            act_at(monkeypatch, at - SECOND)
            moved = Change(due_at=at + HOUR)
            told, _deliveries = at_once(
                lambda at=at, moved=moved: change_one(daily, at, moved, by=person),
                lambda at=at: plan_at(daily, at - SECOND),
            )
            sent = on_the_wire(at)
            plan_at(daily, at + HOUR)
            sent += on_the_wire(at + HOUR)
            assert len(sent) == 1
            (run,) = Run.objects.filter(due_at__gte=at)
            assert run.due_at == (at if isinstance(told, Refused) else at + HOUR)


WINDOW = timedelta(days=6)


@given(
    kind=st.sampled_from(["daily", "hourly", "weekly"]),
    wanted=st.lists(
        st.tuples(
            st.integers(0, 11),
            st.sampled_from(["skip", "move", "edit", "back"]),
            st.integers(-5000, 5000),
        ),
        max_size=6,
    ),
)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_planner_makes_what_is_shown_and_counted(world, make_schedule, kind, wanted):
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        act_at(patch, NOW)
        timing = {
            "daily": {"timing_kind": "daily", "time": time(9)},
            "hourly": {"timing_kind": "interval", "every_minutes": 720, "time": None},
            "weekly": {"timing_kind": "weekly", "weekdays": [0, 3, 5], "time": time(9)},
        }[kind]
        person = world.people["xinyi"]
        schedule = register(make_schedule(date=None, **timing), by=person)
        own = [one.due_at for one in rules.preview(schedule, NOW, 12)]
        for number, what, minutes in wanted:
            change_or_not(schedule, own[number], what, minutes, by=person)
        schedule.refresh_from_db()
        until = NOW + WINDOW
        shown = [one for one in rules.preview(schedule, NOW, 100) if one.due_at < until]
        changes = OccurrenceChange.of(schedule, NOW)
        counted = [at for at, _next in forecast.coming(schedule, NOW, until, {}, changes)]
        for at in sorted({one.due_at for one in shown} | {at for at in own if at < until}):
            plan_at(schedule, at)
        runs = Run.objects.filter(schedule=schedule, due_at__lt=until).order_by("due_at")
        made = [(run.due_at, run.appointed_at, run.state == "skipped") for run in runs]
        assert made == [(one.due_at, one.appointed_at, bool(one.skipped)) for one in shown]
        assert counted == [due_at for due_at, _at, is_skipped in made if not is_skipped]
        assert [run.content["text"] for run in runs] == [
            one.text or "Good morning" for one in shown
        ]
        transaction.set_rollback(True)


def change_or_not(schedule, at, what, minutes, *, by):
    """What cannot be done is refused, and changes nothing."""
    wanted = {
        "skip": SKIP,
        "move": Change(due_at=at + timedelta(minutes=minutes, seconds=1)),
        "edit": Change(text="Other"),
    }
    try:
        if what == "back":
            take_back_one(schedule, at, by=by)
        else:
            change_one(schedule, at, wanted[what], by=by)
    except Refused:
        pass
