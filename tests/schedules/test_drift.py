"""An audience is counted when it is registered and again when it is sent to."""

from datetime import timedelta

import pytest
from django.utils import timezone

from channels.models import Recipient
from schedules.actions import begin_edit, change, register
from schedules.dispatch.plan import plan
from schedules.models import Run, Schedule
from schedules.shown.drift import drift_of, in_words
from tests.schedules.api.calling import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def audience(make_audience):
    return make_audience(3)


@pytest.fixture
def registered(world, make_schedule, audience) -> Schedule:
    draft = make_schedule(rooms=[], audience=audience)
    return register(draft, by=world.people["xinyi"])


def planned(schedule: Schedule) -> Run:
    plan(schedule.next_due_at)
    return Run.objects.get(schedule=schedule)


@pytest.mark.parametrize(
    ("people", "expected", "said"),
    [
        (1204, 1180, "1,204 people; 1,180 when it was registered: +24, 2 %"),
        (1180, 1204, "1,180 people; 1,204 when it was registered: −24, 2 %"),
        (100_001, 100_000, "100,001 people; 100,000 when it was registered: +1, less than 1 %"),
        (5, 5, "5 people, as when it was registered"),
        (1, None, "1 person"),
        (2, 0, "2 people; 0 when it was registered: +2"),
    ],
)
def test_the_drift_in_words(people, expected, said):
    assert in_words(people, expected) == said


def test_who_came_and_who_left_between_registration_and_sending(registered, audience):
    assert registered.expected == 3
    leaving = audience.recipients.first()
    Recipient.objects.filter(pk=leaving.pk).update(opted_out_at=timezone.now())
    run = planned(registered)
    assert (run.expected, run.recipients) == (3, 2)


def test_a_saved_edit_counts_anew(world, registered, audience):
    audience.recipients.remove(audience.recipients.first())
    change(begin_edit(registered, by=world.people["xinyi"]), by=world.people["xinyi"])
    registered.refresh_from_db()
    assert registered.expected == 2


def test_a_run_to_nobody_counts_nobody(registered, audience):
    audience.recipients.clear()
    assert planned(registered).recipients == 0


def test_a_run_that_was_stopped_whole_tells_no_drift(client, world, registered):
    run = planned(registered)
    Run.objects.filter(pk=run.pk).update(state="skipped", reason="quota", recipients=0)
    run.refresh_from_db()
    assert drift_of(run) == ""
    client.force_login(world.people["xinyi"])
    for address in (
        f"/admin/schedules/run/{run.pk}/change/",
        f"/admin/schedules/schedule/{registered.pk}/change/",
        "/admin/schedules/schedule/",
    ):
        assert "100 %" not in client.get(address).content.decode(), address


def test_rooms_are_not_people(planned_rooms):
    run = planned_rooms[0].run
    assert (run.expected, run.recipients) == (None, None)


@pytest.fixture
def planned_rooms(world, make_schedule):
    schedule = register(make_schedule(), by=world.people["xinyi"])
    return list(planned(schedule).deliveries.all())


def test_pages_lists_and_the_api_show_it(client, world, registered, audience):
    Recipient.objects.filter(pk=audience.recipients.first().pk).update(opted_out_at=timezone.now())
    run = planned(registered)
    Run.objects.filter(pk=run.pk).update(state="sent")
    said = "2 people; 3 when it was registered: −1, 33 %"
    client.force_login(world.people["xinyi"])
    for address in (
        f"/admin/schedules/run/{run.pk}/change/",
        "/admin/schedules/run/",
        f"/admin/schedules/schedule/{registered.pk}/change/",
        "/admin/schedules/schedule/",
    ):
        assert said in client.get(address).content.decode(), address
    shown = caller(world.people["xinyi"]).get(f"/schedules/{registered.pk}").json()
    assert shown["expected"] == 3


def test_the_answer_to_run_now_says_how_many(world, registered):
    Schedule.objects.filter(pk=registered.pk).update(next_due_at=timezone.now() + timedelta(days=1))
    answer = caller(world.people["xinyi"]).post(f"/schedules/{registered.pk}/execute", {})
    assert (answer.json()["expected"], answer.json()["recipients"]) == (3, 3)
