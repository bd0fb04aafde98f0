"""Before a schedule is registered its channel is asked: what it refuses is said at the field, and
what it does not say keeps nobody waiting."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from channels.models import Room
from orgs.models import User
from schedules import actions
from schedules.dispatch import rehearse
from schedules.models import Preflight, Schedule, ScheduleImage
from schedules.states import ScheduleState
from tests.schedules.wizard.conftest import CONTENT, address, marks, open_step

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

PUSH = "/v2/bot/message/validate/push"
NO = "LINE would not take the text: May not shout"


@pytest.fixture
def draft(make_schedule: Callable[..., Schedule], clerk: User, line_rooms: list[Room]) -> Schedule:
    return make_schedule(registered_by=clerk, rooms=line_rooms)


def confirm(desk: Client, draft: Schedule) -> Any:
    review = desk.get(address(draft, "review"))
    edits = {"edits": draft.edits_id} if draft.edits_id else {}
    return desk.post(address(draft, "confirm"), marks(review) | edits)


def html(answer: Any) -> str:
    return str(answer.content.decode())


def test_what_line_takes_is_registered_without_a_word(desk, draft, at_line):
    answer = confirm(desk, draft)
    draft.refresh_from_db()
    assert draft.state == ScheduleState.ACTIVE
    assert at_line.requests == {PUSH: 1} and at_line.log == []
    assert "could not be looked at" not in html(desk.get(answer.url))
    assert not Preflight.objects.exists()


def test_what_line_refuses_is_not_registered_and_said_at_the_field(desk, draft, at_line):
    at_line.dislikes = {"messages[0].text": "May not shout"}
    answer = confirm(desk, draft)
    assert answer.url == f"{address(draft, 'content')}?check=1#field-text"
    draft.refresh_from_db()
    assert draft.state == ScheduleState.DRAFT
    page = html(desk.get(answer.url))
    assert f"Not registered. {NO}" in page
    at_field = page.split('id="problem-text"')[1].split("</ul>")[0]
    assert NO in at_field
    assert NO in html(desk.get(address(draft, "review")))
    assert desk.get(address(draft, "review").replace("review/", "")).url == address(
        draft, "content"
    )


def test_which_image_line_refuses_is_said_at_the_images(desk, draft, at_line, make_images):
    for position, image in enumerate(make_images(2)):
        ScheduleImage.objects.create(schedule=draft, image=image, position=position)
    at_line.dislikes = {"messages[2].previewImageUrl": "Too large"}
    answer = confirm(desk, draft)
    assert answer.url.endswith("#field-images")
    at_field = html(desk.get(answer.url)).split('id="problem-images"')[1].split("</ul>")[0]
    assert "LINE would not take image 2, “image 1.png”: Too large" in at_field


def test_the_review_leads_from_its_top_to_each_field_that_line_refused(
    desk, draft, at_line, make_images
):
    ScheduleImage.objects.create(schedule=draft, image=make_images(1)[0], position=0)
    at_line.dislikes = {"messages[0].text": "May not shout", "messages[1].previewImageUrl": "Huge"}
    page = html(desk.get(confirm(desk, draft).url))
    assert f"Not registered. {NO} · LINE would not take image 1" in page
    top = html(desk.get(address(draft, "review"))).split("tj-facts")[0]
    content = address(draft, "content")
    assert [f"{content}?check=1#field-{name}" in top for name in ("text", "images")] == [True] * 2
    assert NO in top


def test_another_text_is_free_of_what_was_refused_of_the_first(desk, draft, at_line):
    at_line.dislikes = {"Good morning": "May not shout"}
    confirm(desk, draft)
    posted = CONTENT | open_step(desk, draft, "content")
    desk.post(address(draft, "content"), posted)
    assert NO not in html(desk.get(address(draft, "content")))
    confirm(desk, draft)
    draft.refresh_from_db()
    assert draft.state == ScheduleState.ACTIVE


def test_the_same_may_be_tried_again_and_goes_when_line_takes_it(desk, draft, at_line):
    at_line.dislikes = {"messages[0].text": "May not shout"}
    confirm(desk, draft)
    review = html(desk.get(address(draft, "review")))
    assert "disabled" not in review.split('id="register"')[1].split(">")[0]
    at_line.dislikes = {}
    answer = confirm(desk, draft)
    draft.refresh_from_db()
    assert draft.state == ScheduleState.ACTIVE
    assert NO not in html(desk.get(answer.url))


@pytest.mark.parametrize("fault", ["5xx_before", "429_rate", "reset", "hang_never_accept"])
def test_where_line_says_nothing_it_is_registered_and_a_worker_looks(
    desk, draft, at_line, fault, monkeypatch
):
    monkeypatch.setattr(rehearse, "SECONDS", 0.3)
    at_line.faults_of_questions.add(fault, times=9, seconds=60)
    answer = confirm(desk, draft)
    draft.refresh_from_db()
    assert draft.state == ScheduleState.ACTIVE
    page = html(desk.get(answer.url))
    assert "is registered." in page
    assert "It could not be looked at whether the channel takes the message (LINE)" in page
    assert "A worker is looking at it" in page
    assert Preflight.objects.get().asked_at is not None


def test_a_token_that_line_refuses_is_a_warning(desk, draft, at_line):
    at_line.revoke_tokens()
    answer = confirm(desk, draft)
    draft.refresh_from_db()
    assert draft.state == ScheduleState.ACTIVE
    assert "LINE refuses the account" in html(desk.get(answer.url))


def test_the_changes_of_a_registered_schedule_go_the_same_way(desk, draft, at_line, clerk):
    schedule = actions.register(draft, by=clerk)
    copy = actions.begin_edit(schedule, by=clerk)
    Schedule.objects.filter(pk=copy.pk).update(text="LOUD")
    at_line.dislikes = {"LOUD": "May not shout"}
    copy.refresh_from_db()
    answer = confirm(desk, copy)
    assert answer.url == f"{address(copy, 'content')}?check=1#field-text"
    assert f"The changes were not saved. {NO}" in html(desk.get(answer.url))
    schedule.refresh_from_db()
    assert schedule.text == "Good morning"
    at_line.dislikes = {}
    confirm(desk, copy)
    schedule.refresh_from_db()
    assert schedule.text == "LOUD"


def test_what_was_changed_in_another_window_is_not_asked_about(desk, draft, at_line):
    review = desk.get(address(draft, "review"))
    Schedule.objects.filter(pk=draft.pk).update(revision=7)
    answer = desk.post(address(draft, "confirm"), marks(review))
    assert answer.url == address(draft, "review")
    assert at_line.requests == {}


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_line_is_asked(desk, draft, at_line, in_transactions):
    confirm(desk, draft)
    assert in_transactions == [False]
