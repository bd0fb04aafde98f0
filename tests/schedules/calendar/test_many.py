"""Several times of the calendar at once: each answered by itself, none for the others."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels.models import Room
from logs.models import History
from orgs.reach import Role
from schedules.actions import change_one, register
from schedules.models import OccurrenceChange, Schedule
from schedules.recurrence import Change

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def key(row, days=0, revision=None):
    at = row.next_due_at + DAY * days
    return f"{row.pk}@{at.isoformat()}@{row.revision if revision is None else revision}"


def do(client, verb, *keys, **more):
    values = {"verb": verb, "row": keys, "back": "?view=list&date=2031-05-06", **more}
    return client.post(reverse("calendar-many"), values)


def test_several_of_one_series_and_a_single_message_move_by_as_much(daily, once, desk):
    times = daily.next_due_at, once.next_due_at
    page = do(desk, "shift", key(daily), key(daily, 1), key(once), minutes="90", sure="yes")
    assert "3 were changed" in page.content.decode()
    put = OccurrenceChange.objects.order_by("appointed_at").values_list("due_at", flat=True)
    assert list(put) == [times[0] + DAY * day + timedelta(minutes=90) for day in (0, 1)]
    once.refresh_from_db()
    assert once.next_due_at == times[1] + timedelta(minutes=90)
    assert "view=list&amp;date=2031-05-06" in page.content.decode()


def test_a_move_is_looked_at_first_and_nothing_of_it_stays(daily, once, desk):
    rows, facts = list(Schedule.objects.values()), History.objects.count()
    stale = key(once, revision=once.revision + 1)
    page = do(desk, "shift", key(daily), key(daily, 1), stale, minutes="90").content.decode()
    assert (list(Schedule.objects.values()), History.objects.count()) == (rows, facts)
    assert not OccurrenceChange.objects.exists()
    for days in (0, 1):
        then = daily.next_due_at + DAY * days + timedelta(minutes=90)
        assert f'datetime="{then.isoformat(timespec="milliseconds")}"' in page
    assert "Move them (2)" in page
    assert "changed since you looked" in page
    for value in (key(daily), key(daily, 1), stale):
        assert f'name="row" value="{value}"' in page


def test_what_would_clash_after_a_move_is_told_and_what_moves_along_does_not(
    daily, make_schedule, clerk, world, desk
):
    Room.objects.filter(pk=world.room.pk).update(min_interval_seconds=600)
    timing = {"timing_kind": "daily", "date": None, "zone": "Asia/Taipei"}
    other = register(make_schedule(**timing, time=time(10), text="B", title="Beside"), by=clerk)
    late = int(other.next_due_at < daily.next_due_at)  # between nine and ten: its one of today
    page = do(desk, "shift", key(daily), minutes="62").content.decode()
    assert "has “Beside” too close to it, at 10:00:00" in page
    page = do(desk, "shift", key(daily), key(other, late), minutes="62").content.decode()
    assert "too close" not in page
    page = do(desk, "shift", key(daily, 1), key(other, late), minutes="62").content.decode()
    assert page.count("too close") == 1, "the other one’s times that stay are still in the way"


def test_neighbours_move_to_each_others_places_in_the_look_as_in_the_deed(daily, clerk, desk):
    first = daily.next_due_at
    change_one(daily, first, Change(due_at=first + timedelta(hours=2)), by=clerk)
    daily.refresh_from_db()
    keys = [f"{daily.pk}@{(first + DAY * day).isoformat()}@{daily.revision}" for day in (1, 2, 3)]
    look = do(desk, "shift", *keys, days="-1").content.decode()
    assert "Move them (3)" in look and ">block<" not in look
    assert "3 were changed" in do(desk, "shift", *keys, days="-1", sure="yes").content.decode()


def test_a_look_at_thirty_asks_as_much_as_at_one(daily, desk):
    def asked(count):
        with CaptureQueriesContext(connection) as found:
            do(desk, "shift", *[key(daily, day) for day in range(count)], minutes="90")
        return len(found)

    asked(1)
    assert asked(30) == asked(1)


def test_too_many_are_said_and_none_is_changed(daily, desk):
    page = do(desk, "skip", *[key(daily, day) for day in range(61)])
    assert page["Location"] == "/admin/calendar/?view=list&date=2031-05-06"
    assert not OccurrenceChange.objects.exists()


def test_what_cannot_be_left_out_says_so_and_the_others_are(daily, once, desk):
    page = do(desk, "skip", key(daily), key(once)).content.decode()
    assert "1 was changed" in page and "1 was not" in page
    assert "sent once only" in page
    assert OccurrenceChange.objects.get().skips


def test_schedules_are_paused_once_however_many_times_of_them_are_chosen(daily, desk):
    page = do(desk, "pause", key(daily), key(daily, 1)).content.decode()
    assert "2 were changed" in page
    assert Schedule.objects.get().state == "paused"


def test_what_was_changed_meanwhile_is_refused(daily, desk):
    page = do(desk, "skip", key(daily, revision=daily.revision + 1)).content.decode()
    assert "changed since you looked" in page
    assert not OccurrenceChange.objects.exists()


def test_a_move_by_nothing_is_asked_about(daily, desk):
    page = do(desk, "shift", key(daily), sure="yes").content.decode()
    assert "Say by how many" in page and not OccurrenceChange.objects.exists()


@pytest.mark.parametrize("who", ["tainan", "stranger", "viewer"])
@pytest.mark.parametrize("verb", ["skip", "shift", "pause"])
def test_who_may_not_changes_nothing(daily, client, world, who, verb):
    by = world.people.get(who) or world.person(world.xinyi, Role.VIEWER)
    client.force_login(by)
    answer = do(client, verb, key(daily), minutes="5", sure="yes")
    if who != "viewer":
        assert answer.status_code == 404
    assert Schedule.objects.get().state == "active" and not OccurrenceChange.objects.exists()


@pytest.mark.parametrize("row", ["", "x@y@z", "1@2027-01-01@1", "9999999@2027-01-01T00:00Z@1"])
def test_nothing_that_is_there_is_not_there(daily, desk, row):
    assert do(desk, "skip", row).status_code == 404


def test_the_list_offers_boxes_to_those_who_may(daily, desk, client, world, now):
    address = reverse("calendar"), {"view": "list", "date": str(now.date() + 9 * DAY)}
    page = desk.get(*address).content.decode()
    assert page.count('name="row"') == 7 and "worklist" in page
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert 'name="row"' not in client.get(*address).content.decode()
