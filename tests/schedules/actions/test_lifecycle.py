"""People act while the machine does: either the old or the new, never both, never half."""

from datetime import date, datetime, time, timedelta

import pytest

from channels.adapters.base import later, unknown
from channels.models import Alert
from logs.models import History
from orgs.clock import database_now
from schedules.actions import (
    Refused,
    begin_edit,
    cancel,
    change,
    delete,
    drop_edit,
    execute,
    pause,
    register,
    resolve,
    resume,
    shift,
    toggle,
)
from schedules.actions.refusal import OutOfReach
from schedules.actions.resolve import Verdict
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import sweep
from schedules.models import Delivery, Run, Schedule
from tests.schedules.at_once import act_at
from tests.schedules.conftest import (
    SECOND,
    accepted,
    claim_at,
    not_accepted,
    on_the_wire,
    plan_at,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(world):
    return world.people["xinyi"]


@pytest.fixture
def active(world, make_schedule, person) -> Schedule:
    """Every half hour."""
    grid = {"timing_kind": "interval", "every_minutes": 30, "date": None, "time": None}
    return register(make_schedule(**grid), by=person)


ACTS = [
    pytest.param(pause, id="pause"),
    pytest.param(cancel, id="cancel"),
    pytest.param(delete, id="delete"),
]


@pytest.mark.parametrize("act", ACTS)
def test_what_is_planned_is_taken_back(active, person, act):
    due_at = active.next_due_at
    plan_at(active, due_at)
    act(active, by=person)
    assert not Run.objects.exists()
    assert claim_at(due_at) == []


@pytest.mark.parametrize("act", ACTS)
def test_what_is_claimed_but_not_on_the_wire_does_not_leave(active, person, act):
    due_at = active.next_due_at
    plan_at(active, due_at)
    claimed = claim_at(due_at)
    act(active, by=person)
    assert mark_wire(claimed, due_at)[:2] == (set(), {})
    assert settle([accepted(claimed[0], due_at)]) == 0


@pytest.mark.parametrize("act", ACTS)
def test_what_is_on_the_wire_is_finished_and_logged(active, person, act):
    due_at = active.next_due_at
    plan_at(active, due_at)
    (claimed,) = on_the_wire(due_at)
    act(active, by=person)
    assert settle([accepted(claimed, due_at)]) == 1
    assert Run.objects.get().state == "sent"


def test_a_pause_lets_a_begun_run_send_its_other_parts_and_a_cancel_does_not(
    world, make_schedule, person, make_images
):
    for act, rest, run_state in ((pause, "planned", "sending"), (cancel, "cancelled", "partial")):
        text = f"Text for {act.__name__}"
        schedule = register(
            make_schedule(text=text, images=make_images(1), interval_seconds=5), by=person
        )
        plan_at(schedule, schedule.next_due_at)
        (claimed,) = on_the_wire(schedule.next_due_at)
        settle([accepted(claimed, schedule.next_due_at)])
        act(schedule, by=person)
        delivery = Delivery.objects.get(run__schedule=schedule)
        assert (delivery.part, delivery.state) == (1, rest)
        assert delivery.run.state == run_state


def test_a_resumed_schedule_makes_up_for_nothing(active, person):
    missed = active.next_due_at
    pause(active, by=person)
    assert plan(missed + timedelta(minutes=5)) == 0
    resumed = resume(active, by=person)
    assert resumed.next_due_at >= missed
    assert (toggle(resumed, by=person).state, toggle(resumed, by=person).state) == (
        "paused", "active"
    )  # fmt: skip


def test_a_pause_within_the_horizon_and_back_sends_once(active, person):
    due_at = active.next_due_at
    plan(due_at)
    pause(active, by=person)
    resume(active, by=person)
    plan(due_at)
    assert Run.objects.count() == 1


def test_a_cancelled_schedule_stays_cancelled(active, person):
    cancel(active, by=person)
    for act in (pause, resume, begin_edit, execute):
        with pytest.raises(Refused):
            act(active, by=person)


def test_a_deleted_schedule_is_gone_for_everybody_and_its_log_stays(active, person):
    due_at = active.next_due_at
    plan_at(active, due_at)
    (claimed,) = on_the_wire(due_at)
    settle([accepted(claimed, due_at)])
    delete(active, by=person)
    assert not Schedule.objects.present().exists()
    with pytest.raises(OutOfReach):
        pause(active, by=person)
    assert Run.objects.get().title == active.title
    assert History.objects.filter(verb="deleted").exists()


def test_a_draft_is_really_deleted(make_schedule, person):
    delete(make_schedule(), by=person)
    assert not Schedule.objects.exists()


def edit(schedule, person, **values) -> Schedule:
    copy = begin_edit(schedule, by=person)
    for name, value in values.items():
        setattr(copy, name, value)
    copy.save()
    return change(copy, by=person)


def test_an_edit_before_the_claim_sends_the_new(active, person):
    due_at = active.next_due_at
    plan_at(active, due_at)
    edit(active, person, text="New")
    (delivery,) = plan_at(active, due_at)
    assert delivery.run.content["text"] == "New"


def test_an_edit_after_the_claim_and_before_the_wire_sends_the_new_alone(active, person):
    due_at = active.next_due_at
    plan_at(active, due_at)
    old = claim_at(due_at)
    edit(active, person, text="New")
    assert mark_wire(old, due_at)[:2] == (set(), {})
    plan_at(active, due_at)
    (new,) = on_the_wire(due_at)
    assert new.payload["messages"][0]["text"] == "New"


def test_an_edit_on_the_wire_sends_the_old_alone(active, person):
    due_at = active.next_due_at
    plan_at(active, due_at)
    (old,) = on_the_wire(due_at)
    edited = edit(active, person, text="New")
    assert edited.next_due_at > due_at
    plan(due_at)
    assert settle([accepted(old, due_at)]) == 1
    assert Run.objects.get().content["text"] == "Good morning"


def test_an_edit_does_not_make_a_due_run_vanish(active, person):
    due_at = active.next_due_at
    plan_at(active, due_at)
    # As after an outage: due by now, and nobody has handed it over.
    past = database_now() - timedelta(minutes=2)
    Run.objects.update(due_at=past)
    Delivery.objects.update(due_at=past, next_try_at=past)
    edit(active, person, text="New")
    assert Run.objects.get(due_at=past).content["text"] == "Good morning"


def test_a_pause_cancels_a_due_run_of_which_nothing_has_left_and_says_so(active, person):
    plan_at(active, active.next_due_at)
    past = database_now() - timedelta(minutes=2)
    Run.objects.update(due_at=past)
    pause(active, by=person)
    assert Run.objects.get().state == "cancelled"


def test_an_edit_that_is_refused_changes_nothing(active, person):
    due_at = active.next_due_at
    plan_at(active, due_at)
    with pytest.raises(Refused):
        edit(active, person, text="")
    active.refresh_from_db()
    assert active.text == "Good morning"
    assert Run.objects.count() == 1


def test_an_edit_is_recorded_with_what_changed(active, person):
    edit(active, person, text="New", priority=70)
    changes = History.objects.get(verb="updated").changes
    assert changes == {"text": ["Good morning", "New"], "priority": [50, 70]}


def test_a_working_copy_of_what_was_cancelled_meanwhile_cannot_be_saved(active, person):
    copy = begin_edit(active, by=person)
    Schedule.objects.filter(pk=active.pk).update(state="cancelled")
    with pytest.raises(Refused):
        change(copy, by=person)
    active.refresh_from_db()
    assert (active.state, active.text) == ("cancelled", "Good morning")


def test_cancelling_throws_the_working_copy_away(active, person):
    begin_edit(active, by=person)
    cancel(active, by=person)
    assert list(Schedule.objects.all()) == [active]


@pytest.mark.parametrize("act", [cancel, delete])
def test_a_retry_of_what_was_on_the_wire_does_not_leave_after_a_cancel(active, person, act):
    due_at = active.next_due_at
    plan_at(active, due_at)
    (claimed,) = on_the_wire(due_at)
    act(active, by=person)
    settle([not_accepted(claimed, due_at, later("busy", after=5))])
    again = claim_at(due_at + 5 * SECOND)
    delivery = Delivery.objects.get()
    assert mark_wire(again, due_at + 5 * SECOND)[:2] == (set(), {delivery.pk: "cancelled"})


@pytest.mark.parametrize("act", [cancel, delete])
@pytest.mark.parametrize("is_claimed", [False, True])
def test_what_may_have_arrived_is_not_said_to_be_cancelled(active, person, act, is_claimed):
    due_at = active.next_due_at
    plan_at(active, due_at)
    (claimed,) = on_the_wire(due_at)
    settle([not_accepted(claimed, due_at, unknown("no answer"))])
    if is_claimed:
        assert claim_at(due_at + timedelta(minutes=5))
    act(active, by=person)
    delivery = Delivery.objects.to_decide().get()
    assert delivery.error == "It was not tried again; an earlier try may have arrived."
    assert delivery.run.state == "unconfirmed"
    assert claim_at(due_at + timedelta(minutes=5)) == []
    assert [alert.kind for alert in Alert.objects.all()] == ["unconfirmed"]


def test_a_working_copy_is_one_and_can_be_thrown_away(active, person):
    copy = begin_edit(active, by=person)
    assert begin_edit(active, by=person).pk == copy.pk
    drop_edit(copy, by=person)
    assert list(Schedule.objects.all()) == [active]


def test_what_has_just_gone_is_not_changed_as_if_it_were_to_come(make_schedule, person):
    """Until the sweep it is still active: a program that moves it has not seen that it has left."""
    schedule = register(make_schedule(), by=person)
    due_at = schedule.next_due_at
    plan_at(schedule, due_at)
    (claimed,) = on_the_wire(due_at)
    settle([accepted(claimed, due_at)])
    Run.objects.update(started_at=database_now() - SECOND)
    with pytest.raises(Refused):
        edit(schedule, person, text="New")
    schedule.refresh_from_db()
    assert (schedule.text, schedule.next_due_at) == ("Good morning", None)


def leaving(make_schedule, person) -> tuple[Schedule, datetime]:
    """A daily one that is on the wire at this moment."""
    schedule = register(make_schedule(timing_kind="daily", date=None), by=person)
    due_at = schedule.next_due_at
    plan_at(schedule, due_at)
    on_the_wire(due_at)
    return Schedule.objects.get(), due_at


def minutes_later(schedule: Schedule, minutes: int) -> time:
    moved = datetime.combine(date(2026, 1, 1), schedule.time) + timedelta(minutes=minutes)
    return moved.time()


@pytest.mark.parametrize("how", ["edit", "shift"])
def test_what_goes_daily_and_leaves_now_is_not_moved_to_later_that_day(
    make_schedule, person, how, monkeypatch
):
    schedule, due_at = leaving(make_schedule, person)
    act_at(monkeypatch, due_at)
    with pytest.raises(Refused, match="being sent at this moment"):
        if how == "edit":
            edit(schedule, person, time=minutes_later(schedule, 1))
        else:
            shift(schedule, by=person, span=timedelta(minutes=1))
    schedule.refresh_from_db()
    assert schedule.next_due_at == due_at + timedelta(days=1)


def test_it_is_moved_earlier_or_reworded_while_it_leaves(make_schedule, person, monkeypatch):
    schedule, due_at = leaving(make_schedule, person)
    act_at(monkeypatch, due_at)
    edit(schedule, person, text="From tomorrow on")
    moved = edit(schedule, person, time=minutes_later(schedule, -1))
    assert moved.next_due_at == due_at + timedelta(days=1) - timedelta(minutes=1)


def test_once_it_has_left_it_may_go_later_that_day_as_well(make_schedule, person, monkeypatch):
    schedule, due_at = leaving(make_schedule, person)
    act_at(monkeypatch, due_at + SECOND)
    Run.objects.update(state="sent")
    moved = edit(schedule, person, time=minutes_later(schedule, 1))
    assert moved.next_due_at == due_at + timedelta(minutes=1)


def test_what_is_sent_once_more_may_be_changed_until_it_leaves(make_schedule, person):
    schedule = register(make_schedule(), by=person)
    due_at = schedule.next_due_at
    plan_at(schedule, due_at)
    (claimed,) = on_the_wire(due_at)
    settle([accepted(claimed, due_at)])
    sweep(due_at)
    Run.objects.update(started_at=database_now() - timedelta(hours=1))
    later_on = due_at + timedelta(days=1)
    edit(schedule, person, date=later_on.date(), text="Again")
    plan_at(schedule, later_on)
    assert edit(schedule, person, text="Better").next_due_at == later_on


def test_who_has_read_it_before_it_completed_is_told_that_it_has_changed(make_schedule, person):
    schedule = register(make_schedule(), by=person)
    plan_at(schedule, schedule.next_due_at)
    (claimed,) = on_the_wire(schedule.next_due_at)
    settle([accepted(claimed, schedule.next_due_at)])
    sweep(schedule.next_due_at)
    completed = Schedule.objects.get()
    assert (completed.state, completed.revision) == ("completed", schedule.revision + 1)


def test_a_completed_schedule_that_gets_a_new_time_goes_on(world, make_schedule, person):
    schedule = register(make_schedule(), by=person)
    Schedule.objects.update(state="completed", next_due_at=None)
    edited = edit(schedule, person, text="Again")
    assert (edited.state, edited.next_due_at is not None) == ("active", True)


def test_a_double_click_on_run_now_is_one_run(active, person):
    execute(active, by=person)
    with pytest.raises(Refused):
        execute(active, by=person)
    assert Run.objects.count() == 1


def test_run_now_of_a_room_that_moved_away_is_refused(world, active, person):
    world.room.unit = world.tainan
    world.room.save()
    with pytest.raises(Refused):
        execute(active, by=person)


@pytest.fixture
def unconfirmed(active) -> Delivery:
    due_at = active.next_due_at
    plan_at(active, due_at)
    (claimed,) = on_the_wire(due_at)
    settle([not_accepted(claimed, due_at + SECOND, unknown("no answer"), takes_key=False)])
    return Delivery.objects.get()


@pytest.mark.parametrize(
    ("verdict", "state", "run_state"),
    [
        (Verdict.ARRIVED, "sent", "sent"),
        (Verdict.SEND_AGAIN, "planned", "sending"),
        (Verdict.LEAVE, "unconfirmed", "unconfirmed"),
    ],
)
def test_a_person_decides_what_is_not_confirmed(unconfirmed, person, verdict, state, run_state):
    resolved = resolve(unconfirmed, verdict, by=person)
    assert resolved.state == state
    assert Run.objects.get().state == run_state
    assert History.objects.filter(verb=verdict.value, actor="xinyi").exists()


def test_a_verdict_about_an_earlier_doubt_does_not_settle_a_newer_one(unconfirmed, person):
    seen = unconfirmed.completed_at
    Delivery.objects.update(completed_at=seen + SECOND)
    with pytest.raises(Refused):
        resolve(unconfirmed, Verdict.ARRIVED, by=person, seen=seen.isoformat())
    resolve(unconfirmed, Verdict.ARRIVED, by=person, seen=(seen + SECOND).isoformat())


def test_what_was_decided_cannot_be_decided_again(unconfirmed, person):
    resolve(unconfirmed, Verdict.ARRIVED, by=person)
    with pytest.raises(Refused):
        resolve(unconfirmed, Verdict.SEND_AGAIN, by=person)


def test_what_a_person_sends_again_goes_out(unconfirmed, person):
    resolve(unconfirmed, Verdict.SEND_AGAIN, by=person)
    row = Delivery.objects.get()
    (claimed,) = on_the_wire(row.next_try_at)
    settle([accepted(claimed, row.next_try_at)])
    assert Run.objects.get().state == "sent"


@pytest.mark.parametrize("who", ["tainan", "stranger"])
@pytest.mark.parametrize("act", [pause, cancel, delete, execute, begin_edit])
def test_nobody_acts_out_of_reach(world, active, who, act):
    with pytest.raises(OutOfReach):
        act(active, by=world.people[who])
    active.refresh_from_db()
    assert active.state == "active"
