"""The buttons beside the coming times of a schedule's page."""

from datetime import time, timedelta

import pytest
from django.urls import reverse

from orgs.clock import database_now
from schedules import rules
from schedules.models import OccurrenceChange, Schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def press(desk, daily):
    """A button of the page, and the page that it leads to."""

    def do(verb, at, **values):
        url = reverse("admin:schedules_schedule_act", args=[daily.pk, verb])
        return desk.post(url, {"at": at.isoformat(), **values}, follow=True)

    return do


def first_of(schedule):
    return rules.preview(schedule, database_now(), 2)[1].due_at


def test_one_is_put_at_another_time_on_the_schedules_clock(daily, press):
    at = first_of(daily)
    page = press("move-one", at, time=f"{at:%Y-%m-%d}T11:30:00")
    change = OccurrenceChange.objects.get()
    assert change.due_at == at + timedelta(hours=2, minutes=30)
    text = page.content.decode()
    assert "A person put it here" in text and "11:30:00" in text


def test_a_moved_one_keeps_its_new_time_when_it_is_given_a_text(daily, press):
    at = first_of(daily)
    press("move-one", at, time=f"{at:%Y-%m-%d}T11:30:00")
    page = press("reword-one", at, text="Only on this day")
    change = OccurrenceChange.objects.get()
    assert (change.due_at, change.text) == (at + timedelta(hours=2.5), "Only on this day")
    assert "Only on this day" in page.content.decode()


def test_one_is_left_out_and_taken_back(daily, press):
    at = first_of(daily)
    assert "a person left this one out" in press("leave-out-one", at).content.decode()
    assert "a person left this one out" not in press("restore-one", at).content.decode()
    assert not OccurrenceChange.objects.exists()


def test_what_is_refused_is_said_on_the_page(daily, press):
    page = press("move-one", first_of(daily), time="2001-01-01T09:00")
    assert "This time has passed." in page.content.decode()
    assert "Choose a date and a time." in press("move-one", first_of(daily)).content.decode()


@pytest.mark.parametrize("at", ["", "never", "2027-01-01T00:00"])
def test_a_button_without_a_time_leads_nowhere(desk, daily, at):
    url = reverse("admin:schedules_schedule_act", args=[daily.pk, "leave-out-one"])
    assert desk.post(url, {"at": at}).status_code == 404


def test_a_change_of_a_time_that_is_gone_is_shown_and_can_be_removed(daily, press, desk):
    at = first_of(daily)
    press("leave-out-one", at)
    Schedule.objects.filter(pk=daily.pk).update(time=time(12))
    page = desk.get(reverse("admin:schedules_schedule_change", args=[daily.pk])).content.decode()
    assert "They do nothing" in page
    assert "They do nothing" not in press("restore-one", at).content.decode()
