"""A run that does not fit into what is left of the month is stopped before its first message."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.adapters.base import refused
from channels.models import Account, QuotaReading, Room
from logs.models import Attempt
from logs.stats.tally import roll_up
from orgs.clock import database_now
from orgs.models import Unit
from schedules.actions import retry
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Run
from tests.fakes.line import LineFake
from tests.fakes.serving import in_thread
from tests.schedules.at_once import at_once
from tests.schedules.conftest import accepted, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
NOON = datetime(2027, 3, 10, 3, tzinfo=UTC)  # in Tokyo
BUDGETS = '"monthly_budget" IS NOT NULL'
TURN = datetime(2027, 3, 31, 15, tzinfo=UTC)  # midnight there: April begins
LATE = TURN - 1800 * SECOND  # 23:30 there, 22:30 in Taipei
NIGHT = {"quiet_from": time(22), "quiet_until": time(8)}


def outcome(run: Run) -> tuple[str, str, str]:
    return run.state, run.reason, run.detail


def arrive(moment: datetime) -> None:
    """Everything that is due by then is accepted."""
    settle([accepted(claimed, moment) for claimed in on_the_wire(moment)])


def test_what_fits_is_planned_with_what_each_request_is_billed(reading, make_room, planned_at):
    reading(1000, 963, at=NOON)
    (run,) = planned_at(NOON, {"rooms": [make_room(37)]})
    assert (run.state, run.total) == ("planned", 1)
    assert Delivery.objects.get().billed == 37


def test_one_message_too_many_stops_all_of_it_and_says_how_many(reading, make_room, planned_at):
    reading(1000, 964, at=NOON)
    (run,) = planned_at(NOON, {"rooms": [make_room(36), make_room(1)]})
    assert outcome(run) == (
        "skipped", "quota", "LINE: needs 37; 36 left this month; 1 short",
    )  # fmt: skip
    assert run.total == 0 and run.completed_at is not None
    assert not Delivery.objects.exists()


def test_each_request_is_billed_anew(reading, make_room, planned_at):
    reading(1000, 900, at=NOON)
    spaced = {"interval_seconds": 5, "order": "text_first", "rooms": [make_room(60)]}
    (run,) = planned_at(NOON, spaced)
    assert run.state == "planned"
    Delivery.objects.update(parts=2)
    (second,) = planned_at(NOON + SECOND, {"text": "Second", "rooms": [make_room(1)]})
    assert outcome(second)[2] == "LINE: needs 1; 0 left this month; 1 short"


def test_an_account_without_a_limit_or_a_reading_sends(reading, make_room, planned_at):
    room = make_room(5000)
    (unread,) = planned_at(NOON, {"rooms": [room]})
    reading(None, 10**6, at=NOON)
    (unlimited,) = planned_at(NOON + SECOND, {"rooms": [room]})
    assert [unread.state, unlimited.state] == ["planned", "planned"]


def test_a_channel_that_bills_nothing_is_asked_nothing(planned_at):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        planned_at(NOON, {})
    assert not [q for q in asked if "quotareading" in q["sql"] or BUDGETS in q["sql"]]
    assert Delivery.objects.get().billed == 0


def test_what_is_planned_counts_as_used_and_what_was_cancelled_does_not(
    reading, make_room, planned_at
):
    reading(1000, at=NOON)
    first, second = planned_at(
        NOON, {"text": "A", "rooms": [make_room(600)]}, {"text": "B", "rooms": [make_room(600)]}
    )
    assert [first.state, second.state] == ["planned", "skipped"]
    assert second.detail == "LINE: needs 600; 400 left this month; 200 short"
    first.delete()
    (third,) = planned_at(NOON + SECOND, {"rooms": [make_room(900)]})
    assert third.state == "planned"


def test_the_more_important_of_two_takes_its_part_first(reading, make_room, planned_at):
    reading(1000, at=NOON)
    low, high = planned_at(
        NOON,
        {"text": "A", "priority": 10, "rooms": [make_room(600)]},
        {"text": "B", "priority": 90, "rooms": [make_room(600)]},
    )
    assert [low.state, high.state] == ["skipped", "planned"]


def test_a_smaller_run_still_finds_room(reading, make_room, planned_at):
    reading(1000, at=NOON)
    runs = planned_at(
        NOON, {"text": "A", "rooms": [make_room(1200)]}, {"text": "B", "rooms": [make_room(1000)]}
    )
    assert [run.state for run in runs] == ["skipped", "planned"]


def test_what_was_accepted_since_the_reading_counts_until_the_next_one(
    reading, make_room, planned_at
):
    reading(1000, at=NOON - SECOND)
    planned_at(NOON, {"rooms": [make_room(600)]})
    arrive(NOON)
    assert Attempt.objects.get().billed == 600
    (short,) = planned_at(NOON + 60 * SECOND, {"text": "B", "rooms": [make_room(500)]})
    assert short.detail == "LINE: needs 500; 400 left this month; 100 short"
    reading(1000, 300, at=NOON + 61 * SECOND)  # what others sent with it was taken back
    (fits,) = planned_at(NOON + 70 * SECOND, {"text": "C", "rooms": [make_room(700)]})
    assert fits.state == "planned"


def test_a_run_by_several_accounts_is_stopped_if_one_of_them_is_short(
    world, reading, make_room, planned_at
):
    reading(10, at=NOON)
    (run,) = planned_at(NOON, {"rooms": [make_room(11), world.room]})
    assert run.state == "skipped" and not Delivery.objects.exists()


def test_at_the_turn_of_the_channels_month_nothing_is_used(reading, make_room, planned_at):
    reading(1000, 1000, at=TURN - 10 * SECOND)
    before, after = (
        planned_at(due, {"text": f"{due}", "rooms": [make_room(900)]})[0]
        for due in (TURN - SECOND, TURN)
    )
    assert [before.state, after.state] == ["skipped", "planned"]
    (again,) = planned_at(TURN + 5 * SECOND, {"rooms": [make_room(200)]})
    assert again.detail == "LINE: needs 200; 100 left this month; 100 short"


def test_the_last_run_of_a_month_takes_nothing_from_the_next(reading, make_room, planned_at):
    reading(1000, at=TURN - 10 * SECOND)
    last, first = (
        planned_at(due, {"text": f"{due}", "rooms": [make_room(900)]})[0]
        for due in (TURN - SECOND, TURN)
    )
    assert [last.state, first.state] == ["planned", "planned"]


def test_a_budget_stops_its_branch_and_not_its_sibling(world, make_room, planned_at):
    Unit.objects.filter(pk=world.taipei.pk).update(monthly_budget=100)
    branch, sibling = planned_at(
        NOON,
        {"text": "A", "rooms": [make_room(101)]},
        {"text": "B", "unit": world.tainan, "rooms": [make_room(5000, world.tainan)]},
    )
    assert outcome(branch) == (
        "skipped", "budget", "needs 101; a budget above its unit leaves less",
    )  # fmt: skip
    assert sibling.state == "planned"


def test_a_budget_counts_what_was_sent_for_all_below_it(world, make_room, planned_at):
    Unit.objects.filter(pk=world.north.pk).update(monthly_budget=100)
    planned_at(NOON, {"rooms": [make_room(60)]})
    arrive(NOON)
    (own,) = planned_at(
        NOON + SECOND,
        {"text": "B", "unit": world.taipei, "rooms": [make_room(41, world.taipei)]},
    )
    assert own.detail == "needs 41; a budget above its unit leaves less"


def test_of_its_own_units_budget_a_run_says_how_much_is_left(world, make_room, planned_at):
    Unit.objects.filter(pk=world.xinyi.pk).update(monthly_budget=100)
    (own,) = planned_at(NOON, {"text": "A", "rooms": [make_room(101)]})
    assert outcome(own) == ("skipped", "budget", "needs 101; 100 left this month; 1 short")


def test_a_budget_is_right_while_the_log_is_being_counted(world, make_room, planned_at):
    Unit.objects.filter(pk=world.hq.pk).update(monthly_budget=100)
    for number in range(3):
        at = NOON + number * 600 * SECOND
        planned_at(at, {"text": f"{number}", "rooms": [make_room(20)]})
        arrive(at)
        roll_up(at)
        roll_up(at + 61 * SECOND)
    fits, over = planned_at(
        NOON + 9000 * SECOND,
        {"text": "Fits", "rooms": [make_room(40)]},
        {"text": "Over", "rooms": [make_room(1)]},
    )
    assert fits.state == "planned"
    assert over.detail == "needs 1; a budget above its unit leaves less"


def test_a_budget_begins_anew_with_the_month_of_its_unit(world, make_room, planned_at):
    Unit.objects.filter(pk=world.xinyi.pk).update(monthly_budget=100)
    turn = datetime(2027, 3, 31, 16, tzinfo=UTC)  # midnight in Taipei
    last, first = (
        planned_at(due, {"text": f"{due}", "rooms": [make_room(90)]})[0]
        for due in (turn - 60 * SECOND, turn)
    )
    assert [last.state, first.state] == ["planned", "planned"]
    arrive(turn - 60 * SECOND)
    arrive(turn)
    (run,) = planned_at(turn + 60 * SECOND, {"rooms": [make_room(11)]})
    assert run.detail == "needs 11; 10 left this month; 1 short"


def test_what_quiet_hours_move_into_the_next_month_is_taken_from_that_month(
    world, reading, make_room, make_audience, planned_at
):
    Unit.objects.filter(pk=world.xinyi.pk).update(**NIGHT)
    reading(1000, 1000, at=LATE - 10 * SECOND)  # nothing is left of March
    to_room, to_audience = planned_at(
        LATE,
        {"text": "A", "rooms": [make_room(600)]},
        {"text": "B", "rooms": [], "audience": make_audience(300)},
    )
    assert [to_room.state, to_audience.state] == ["planned", "planned"]
    (short,) = planned_at(LATE + 60 * SECOND, {"text": "C", "rooms": [make_room(101)]})
    assert outcome(short) == (
        "skipped", "quota", "LINE: needs 101; 100 left in 2027-04; 1 short",
    )  # fmt: skip


def test_of_rooms_that_leave_in_two_months_each_month_bears_its_own(reading, make_room, planned_at):
    quiet, other = make_room(600), make_room(500)
    Room.objects.filter(pk=quiet.pk).update(**NIGHT)
    reading(1000, 500, at=LATE - 10 * SECOND)
    (both,) = planned_at(LATE, {"rooms": [quiet, other]})
    assert (both.state, both.total) == ("planned", 2)
    (march,) = planned_at(LATE + 60 * SECOND, {"text": "B", "rooms": [make_room(1)]})
    assert march.detail == "LINE: needs 1; 0 left this month; 1 short"
    arrive(LATE)
    (april,) = planned_at(TURN + 5 * SECOND, {"text": "C", "rooms": [make_room(401)]})
    assert april.detail == "LINE: needs 401; 400 left this month; 1 short"


def test_a_budget_bears_in_its_next_month_what_quiet_hours_move_there(world, make_room, planned_at):
    Unit.objects.filter(pk=world.xinyi.pk).update(monthly_budget=100)
    quiet, other = make_room(90), make_room(95)
    Room.objects.filter(pk=quiet.pk).update(**NIGHT)
    (both,) = planned_at(LATE, {"rooms": [quiet, other]})
    assert both.state == "planned"
    arrive(LATE)
    (march,) = planned_at(LATE + 60 * SECOND, {"text": "B", "rooms": [make_room(6)]})
    assert march.detail == "needs 6; 5 left this month; 1 short"
    morning = datetime(2027, 4, 1, 0, tzinfo=UTC)  # 08:00 in Taipei
    for moment in (morning, morning + 60 * SECOND):  # reserved, then sent
        (april,) = planned_at(moment, {"text": f"{moment}", "rooms": [make_room(11)]})
        assert april.detail == "needs 11; 10 left this month; 1 short"
        arrive(moment)
        roll_up(moment)
        roll_up(moment + 61 * SECOND)
    assert Delivery.objects.filter(state="sent").count() == 2


@pytest.mark.parametrize("limit", [1100, 1099])
def test_an_audience_is_stopped_before_its_first_batch(reading, make_audience, planned_at, limit):
    reading(limit, at=NOON)
    (run,) = planned_at(NOON, {"rooms": [], "audience": make_audience(1100)})
    if limit == 1100:
        assert (run.state, run.total) == ("planned", 3)
        assert list(Delivery.objects.order_by("batch").values_list("billed", flat=True)) == [
            500, 500, 100,
        ]  # fmt: skip
    else:
        assert outcome(run) == (
            "skipped", "quota", "LINE: needs 1,100; 1,099 left this month; 1 short",
        )  # fmt: skip
        assert run.total == 0 and not Delivery.objects.exists()


def test_an_audience_that_does_not_fit_takes_nothing_from_another(
    reading, make_audience, make_room, planned_at
):
    reading(1000, at=NOON)
    large, small = planned_at(
        NOON, {"rooms": [], "audience": make_audience(1001)}, {"rooms": [make_room(999)]}
    )
    assert [large.state, small.state] == ["skipped", "planned"]


@pytest.mark.parametrize("first", ["audience", "rooms"])
def test_of_an_audience_and_rooms_the_more_important_takes_its_part_first(
    reading, make_audience, make_room, planned_at, first
):
    reading(1000, at=NOON)
    to_rooms, to_audience = planned_at(
        NOON,
        {"rooms": [make_room(600)], "priority": 90 if first == "rooms" else 10},
        {"rooms": [], "audience": make_audience(600), "text": "B"},
    )
    planned, short = (to_audience, to_rooms) if first == "audience" else (to_rooms, to_audience)
    assert (planned.state, planned.total) == ("planned", 2 if first == "audience" else 1)
    assert outcome(short) == (
        "skipped", "quota", "LINE: needs 600; 400 left this month; 200 short",
    )  # fmt: skip
    assert short.total == 0
    (rest,) = planned_at(NOON + SECOND, {"text": "C", "rooms": [make_room(400)]})
    assert rest.state == "planned"


def test_what_is_held_for_an_audience_that_came_first_is_not_taken_by_another(
    reading, make_audience, planned_at
):
    reading(1000, at=NOON)
    audience = make_audience(600)
    low, high = planned_at(
        NOON,
        {"rooms": [], "audience": audience, "priority": 10},
        {"rooms": [], "audience": audience, "priority": 90, "text": "B"},
    )
    assert [low.state, high.state] == ["skipped", "planned"]
    assert outcome(low)[2] == "LINE: needs 600; 400 left this month; 200 short"


@pytest.mark.parametrize("count", [1, 30])
def test_thirty_accounts_take_as_many_questions_as_one(world, reading, due, count):
    reading(1000, at=NOON)
    for number in range(count):
        account = Account.objects.create(unit=world.hq, name=f"L{number}", kind="line")
        QuotaReading.objects.create(account=account, limit=10, read_at=NOON, tried_at=NOON)
        room = Room.objects.create(
            unit=world.xinyi, account=account, name=f"R{number}", address=f"C{number:032x}"
        )
        due(NOON, rooms=[room], text=f"{number}")
    with CaptureQueriesContext(connection) as asked:
        plan(NOON)
    assert Run.objects.filter(state="planned").count() == count
    about = [q for q in asked if "quotareading" in q["sql"] or BUDGETS in q["sql"]]
    assert len([q for q in asked if "SUM(" in q["sql"]]) == 1
    assert len(about) == 2


@pytest.mark.django_db(transaction=True)
def test_two_plans_at_once_cannot_overbook(reading, make_room, due):
    reading(1000, at=NOON)
    for number in range(6):
        due(NOON, rooms=[make_room(300)], text=f"{number}")
    # Each planner finds but a few: so both have some.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("schedules.dispatch.plan.SCHEDULES_A_TURN", 3)
        answers = at_once(lambda: plan(NOON), lambda: plan(NOON))
    assert sum(answers) == 6
    assert Run.objects.filter(state="planned").count() == 3
    assert Run.objects.filter(reason="quota").count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_plans_at_once_cannot_overspend_a_budget(world, make_room, due):
    Unit.objects.filter(pk=world.hq.pk).update(monthly_budget=1000)
    for number in range(6):
        due(NOON, rooms=[make_room(300)], text=f"{number}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("schedules.dispatch.plan.SCHEDULES_A_TURN", 3)
        answers = at_once(lambda: plan(NOON), lambda: plan(NOON))
    assert sum(answers) == 6
    assert Run.objects.filter(state="planned").count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.enable_socket
def test_a_quota_of_1000_stops_a_run_of_1200_and_nothing_arrives(
    make_audience, due, dispatch, settings
):
    fake, now = LineFake(quota=1000), database_now()
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        due(now + SECOND, rooms=[], audience=make_audience(1200))
        call_command("quota")  # LINE itself tells what is left
        dispatch()
    assert fake.log == []
    run = Run.objects.get()
    assert outcome(run) == (
        "skipped", "quota", "LINE: needs 1,200; 1,000 left this month; 200 short",
    )  # fmt: skip


def test_a_retry_that_does_not_fit_into_the_month_is_refused(world, reading, make_room, planned_at):
    now = database_now()
    told = reading(1000, 900, at=now)
    (run,) = planned_at(now, {"rooms": [make_room(60), make_room(30)]})
    settle([not_accepted(one, now, refused("no")) for one in on_the_wire(now)])
    QuotaReading.objects.filter(pk=told.pk).update(used=950)
    rows = list(Delivery.objects.order_by("id"))
    retried = retry([row.pk for row in rows], by=world.people["xinyi"])
    assert retried.planned == [rows[1].pk]
    assert str(retried.refused[rows[0].pk]) == (
        "LINE: needs 60; 50 left this month; 10 short"
    )  # fmt: skip
    run.refresh_from_db()
    assert (run.state, run.failed) == ("sending", 1)
