"""The way through the steps: forth, back, away and back again, nothing lost."""

import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from channels.models import Room
from orgs.reach import Role
from schedules.models import Schedule
from schedules.states import ScheduleState
from tests.conftest import World
from tests.schedules.wizard.conftest import (
    CONTENT,
    SCHEDULES,
    TIMING,
    address,
    marks,
    new_address,
    open_step,
    target,
)

pytestmark = pytest.mark.django_db


def test_opening_the_form_makes_nothing(desk: Client):
    answer = desk.get(f"{SCHEDULES}add/", follow=True)
    assert answer.status_code == 200
    assert not Schedule.objects.exists()


def test_the_whole_way_from_the_first_step_to_a_registered_schedule(desk: Client, world: World):
    answer = desk.post(new_address(), target(world))
    draft = Schedule.objects.get()
    assert answer.url == address(draft, "content")
    answer = desk.post(answer.url, CONTENT | open_step(desk, draft, "content"))
    assert answer.url == address(draft, "timing")
    answer = desk.post(answer.url, TIMING | open_step(desk, draft, "timing"))
    assert answer.url == address(draft, "review")
    review = desk.get(answer.url)
    desk.post(address(draft, "confirm"), marks(review))
    draft.refresh_from_db()
    assert draft.state == ScheduleState.ACTIVE
    assert (draft.title, draft.text, draft.weekdays) == ("Notice", "Hello", [0, 4])
    assert list(draft.rooms.all()) == [world.room]
    assert draft.next_due_at is not None


def test_the_first_step_posted_twice_makes_one_draft(desk: Client, world: World):
    first = new_address()
    answers = [desk.post(first, target(world)) for _ in range(2)]
    assert Schedule.objects.count() == 1
    assert answers[0].url == answers[1].url


def test_going_back_to_the_first_page_finds_the_draft_that_was_made(desk: Client, world: World):
    first = new_address()
    desk.post(first, target(world))
    answer = desk.get(first)
    assert answer.url == address(Schedule.objects.get(), "target")
    assert b"Notice" in desk.get(answer.url).content


def test_any_step_can_be_gone_to_and_keeps_what_was_typed(desk: Client, draft: Schedule):
    wish = CONTENT | {"text": "", "go": "target"}
    answer = desk.post(address(draft, "content"), wish | open_step(desk, draft, "content"))
    assert answer.url == address(draft, "target")
    draft.refresh_from_db()
    assert draft.text == ""


def test_an_incomplete_step_is_saved_but_not_led_away_from(desk: Client, draft: Schedule):
    posted = CONTENT | {"text": " ", "order": "images_only"}
    answer = desk.post(address(draft, "content"), posted | open_step(desk, draft, "content"))
    assert answer.url.startswith(address(draft, "content") + "?check=1")
    page = desk.get(answer.url).content.decode()
    assert "“Images only” needs at least one image." in page
    draft.refresh_from_db()
    assert draft.order == "images_only"


def test_the_validity_is_read_on_the_clock_of_the_schedules_zone(desk: Client, draft: Schedule):
    posted = TIMING | {"valid_from": "2030-01-01T09:00", "skip_dates": ["2030-02-03", ""]}
    desk.post(address(draft, "timing"), posted | open_step(desk, draft, "timing"))
    draft.refresh_from_db()
    assert draft.valid_from == datetime.datetime(2030, 1, 1, 1, 0, tzinfo=datetime.UTC)
    assert draft.skip_dates == ["2030-02-03"]
    assert 'value="2030-01-01T09:00"' in desk.get(address(draft, "timing")).content.decode()


def test_the_text_is_counted_as_the_channel_of_an_audience_does(desk, draft, make_audience):
    Schedule.objects.filter(pk=draft.pk).update(audience=make_audience(1))
    draft.rooms.clear()
    assert "as LINE counts" in desk.get(address(draft, "content")).content.decode()


def test_line_ends_are_counted_once(desk: Client, draft: Schedule):
    posted = CONTENT | {"text": "one\r\ntwo"}
    desk.post(address(draft, "content"), posted | open_step(desk, draft, "content"))
    draft.refresh_from_db()
    assert draft.text == "one\ntwo"


def test_the_page_shows_the_coming_times_and_what_is_left_out(desk: Client, draft: Schedule):
    left_out = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)).date()
    posted = TIMING | {"timing_kind": "daily", "skip_dates": [str(left_out)]}
    desk.post(address(draft, "timing"), posted | open_step(desk, draft, "timing"))
    page = desk.get(address(draft, "timing")).content.decode()
    assert page.count("tj-coming-clock") == 10
    assert page.count("a date you left out") == 1
    assert "Asia/Taipei" in page


def test_a_draft_of_another_unit_answers_like_one_that_is_not_there(
    client: Client, world: World, draft: Schedule
):
    client.force_login(world.people["tainan"])
    for name in ("target", "content", "timing", "review"):
        foreign = client.get(address(draft, name))
        missing = client.get(f"{SCHEDULES}999999/register/{name}/")
        assert (foreign.status_code, missing.status_code) == (404, 404)
    for name in ("target/live", "confirm", "discard", "images", "images/order", "images/remove"):
        assert client.post(f"{SCHEDULES}{draft.pk}/register/{name}/").status_code == 404
    assert Schedule.objects.filter(pk=draft.pk, revision=0).exists()


def test_the_id_of_a_foreign_draft_opens_nothing(client: Client, world: World, draft: Schedule):
    client.force_login(world.people["tainan"])
    answer = client.post(f"{SCHEDULES}add/{draft.uid}/", {"title": "Mine"})
    assert answer.status_code == 404
    draft.refresh_from_db()
    assert draft.title == "Morning notice"


def test_a_viewer_cannot_register(client: Client, world: World, draft: Schedule):
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert client.get(f"{SCHEDULES}add/").status_code == 404
    assert client.post(f"{SCHEDULES}add/{uuid4()}/", target(world)).status_code == 404
    assert client.get(address(draft, "target")).status_code == 404
    assert Schedule.objects.count() == 1


def test_rooms_are_found_by_name_and_only_ones_own(desk: Client, world: World):
    asked = {"unit": world.xinyi.pk, "kind": "live", "q": "room"}
    page = desk.get(f"{SCHEDULES}rooms/", asked).content.decode()
    assert "Xinyi room" in page
    assert "Tainan room" not in page
    assert desk.get(f"{SCHEDULES}rooms/", asked | {"unit": world.hq.pk}).status_code == 404


def test_a_draft_is_deleted_at_a_button(desk: Client, draft: Schedule):
    desk.post(address(draft, "discard"))
    assert not Schedule.objects.filter(pk=draft.pk).exists()


def test_what_would_go_at_once_says_that_quiet_hours_hold_it(
    desk: Client, draft: Schedule, world: World
):
    now = datetime.datetime.now(ZoneInfo(world.xinyi.zone))
    begins, ends = (now - datetime.timedelta(minutes=5), now + datetime.timedelta(hours=2))
    Room.objects.filter(pk=world.room.pk).update(quiet_from=begins.time(), quiet_until=ends.time())
    Schedule.objects.filter(pk=draft.pk).update(timing_kind="now", date=None, time=None)
    for step in ("timing", "review"):
        assert "after the quiet hours" in desk.get(address(draft, step)).content.decode()
    review = desk.get(address(draft, "review"))
    answer = desk.post(address(draft, "confirm"), marks(review), follow=True)
    assert "The limits of its rooms hold it back" in answer.content.decode()
