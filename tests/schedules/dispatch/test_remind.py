"""What waits is told once more, then to those above; each once, whoever looks."""

from datetime import timedelta

import pytest

from channels.models import Alert, OwnNotice
from channels.told.words import line_of
from channels.webhooks.spread import spread
from schedules.actions import refuse, register
from schedules.dispatch.expire import expire
from schedules.dispatch.remind import ask_again, remind
from schedules.models import Approval, PlaceholderValue, Schedule
from tests.schedules.api.calling import caller
from tests.schedules.approving import agency_of, approved, demand

pytestmark = pytest.mark.django_db

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def agency(world):
    return agency_of(world)


def told(world) -> list[str]:
    """The units that were told, in order."""
    names = {world.taipei.path: "taipei", world.north.path: "north", world.xinyi.path: "xinyi"}
    names[world.hq.path] = "hq"
    alerts = Alert.objects.filter(kind="approval").order_by("id")
    return [names[path] for path in alerts.values_list("unit_path", flat=True)]


def test_a_day_before_it_is_told_again_and_an_hour_before_to_those_above(
    world, agency, make_schedule
):
    schedule = register(make_schedule(due_in=3 * 86_400), by=agency.clerk)
    due = schedule.next_due_at
    assert remind(due - DAY - MINUTE) == 0
    assert remind(due - DAY) == 1 and remind(due - DAY + MINUTE) == 0
    assert told(world) == ["taipei", "taipei"]
    assert remind(due - HOUR) == 1 and remind(due - 31 * MINUTE) == 0
    assert told(world) == ["taipei", "taipei", "north"]


def test_while_nobody_answers_it_climbs_to_the_top_one_level_after_the_other(
    world, agency, make_schedule
):
    due = register(make_schedule(due_in=3 * 86_400), by=agency.clerk).next_due_at
    assert remind(due - HOUR) == 1
    assert told(world)[1:] == ["north"]
    assert remind(due - 30 * MINUTE) == 1 and remind(due - MINUTE) == 0
    assert told(world)[1:] == ["north", "hq"]


def test_a_level_that_was_passed_over_is_told_with_the_next(world, agency, make_schedule):
    due = register(make_schedule(due_in=3 * 86_400), by=agency.clerk).next_due_at
    assert remind(due - MINUTE) == 1
    assert told(world)[1:] == ["north", "hq"]


def test_once_answered_it_climbs_no_further(world, agency, make_schedule):
    schedule = register(make_schedule(due_in=3 * 86_400), by=agency.clerk)
    due = schedule.next_due_at
    assert remind(due - HOUR) == 1
    approved(schedule, agency.chief)
    assert remind(due - MINUTE) == 0
    assert told(world)[1:] == ["north"]


def test_of_what_is_asked_late_after_a_half_and_three_quarters_of_the_time(
    world, agency, make_schedule
):
    schedule = register(make_schedule(due_in=1200), by=agency.clerk)
    due, asked_at = schedule.next_due_at, schedule.approval.asked_at
    assert remind(asked_at + (due - asked_at) * 0.4) == 0
    assert remind(asked_at + (due - asked_at) * 0.6) == 1
    assert remind(asked_at + (due - asked_at) * 0.8) == 1
    assert told(world) == ["taipei", "taipei", "north"]
    assert remind(asked_at + (due - asked_at) * 0.9) == 1
    assert told(world) == ["taipei", "taipei", "north", "hq"]


def test_above_the_top_there_is_nobody_so_that_is_told_again(world, agency, make_schedule):
    demand(world.taipei, "")
    demand(world.hq)
    schedule = register(make_schedule(), by=agency.clerk)
    assert remind(schedule.next_due_at - MINUTE) == 1
    assert told(world) == ["hq", "hq"]


def test_what_goes_at_once_is_told_again_by_the_time_since_it_was_asked(
    world, agency, make_schedule
):
    row = make_schedule(timing_kind="now", date=None, time=None)
    asked_at = register(row, by=agency.clerk).approval.asked_at
    assert remind(asked_at + 29 * MINUTE) == 0
    assert remind(asked_at + 30 * MINUTE) == 1 and remind(asked_at + 31 * MINUTE) == 0
    assert remind(asked_at + 2 * HOUR) == 1 and remind(asked_at + 3 * HOUR) == 0
    assert told(world) == ["taipei", "taipei", "north"]
    assert remind(asked_at + 13 * HOUR) == 1 and remind(asked_at + 23 * HOUR) == 0
    assert told(world) == ["taipei", "taipei", "north", "hq"]
    assert "unanswered it is not sent" in Alert.objects.order_by("id").last().lines[0][1]


def test_what_goes_at_once_and_has_waited_for_too_long_is_not_told_again(
    world, agency, make_schedule
):
    row = make_schedule(timing_kind="now", date=None, time=None)
    asked_at = register(row, by=agency.clerk).approval.asked_at
    assert remind(asked_at + DAY) == 0
    assert told(world) == ["taipei"]


def test_what_is_answered_is_not_told_again(world, agency, make_schedule):
    schedule = approved(register(make_schedule(), by=agency.clerk), agency.chief)
    assert remind(schedule.next_due_at - MINUTE) == 0


def test_for_the_next_time_of_a_recurring_one_it_begins_anew(agency, make_schedule):
    schedule = register(make_schedule(timing_kind="daily", date=None), by=agency.clerk)
    due = schedule.next_due_at
    assert remind(due - MINUTE) == 1
    expire(due)
    assert Approval.objects.get().stage == 0
    assert remind(due + DAY - MINUTE) == 1


def test_its_author_is_told_of_a_refusal(world, agency, make_schedule):
    schedule = register(make_schedule(), by=agency.clerk)
    refuse(schedule, by=agency.chief, note="Which price?")
    alert = Alert.objects.get(kind="refused")
    assert alert.unit_path == world.xinyi.path and "Which price?" in alert.lines[0][1]


@pytest.mark.parametrize("timing", [{}, {"timing_kind": "now", "date": None, "time": None}])
def test_the_bell_tells_whoever_asked_of_a_refusal_and_leads_to_the_draft(
    client, agency, make_schedule, now, timing
):
    schedule = register(make_schedule(**timing), by=agency.clerk)
    due_at = schedule.next_due_at
    refuse(schedule, by=agency.chief, note="Which price?")
    spread(now + MINUTE)
    notice = OwnNotice.objects.get()
    assert (notice.user, notice.kind, notice.due_at) == (agency.clerk, "approval.refused", due_at)
    client.force_login(agency.clerk)
    page = client.get("/admin/my-notices/")
    assert "Morning notice" in page.text and "refused" in page.text and "1 new" in page.text
    opened = client.post(f"/admin/my-notices/{notice.pk}/open/", follow=True)
    assert opened.redirect_chain[0][0] == f"/admin/schedules/schedule/{schedule.pk}/change/"
    assert "Which price?" in opened.text
    told = caller(agency.clerk).get("/notices").json()["results"][0]
    assert (told["run"], told["schedule"]) == (None, schedule.pk)


def test_each_refusal_is_told_and_outside_with_or_without_a_time(agency, make_schedule, now):
    for timing in ({}, {"timing_kind": "now", "date": None, "time": None}):
        schedule = register(make_schedule(**timing), by=agency.clerk)
        refuse(schedule, by=agency.chief, note="No.")
    spread(now + MINUTE)
    lines = [line_of(row, "UTC") for row in OwnNotice.objects.order_by("schedule_id")]
    assert len(lines) == 2 and all(line.endswith(": refused: “No.”") for line in lines)
    assert lines[1] == "Morning notice: refused: “No.”"


def test_what_others_have_changed_waits_again_a_day_before(world, agency, make_schedule):
    value = PlaceholderValue.objects.create(unit=world.taipei, name="phone", value="1")
    schedule = register(make_schedule(text="Call {phone}"), by=agency.clerk)
    schedule = approved(schedule, agency.chief)
    now = schedule.next_due_at - HOUR
    assert ask_again(now) == 0
    value.value = "2"
    value.save()
    assert ask_again(now) == 1 and ask_again(now) == 0
    assert Schedule.objects.get(pk=schedule.pk).state == "waiting"
