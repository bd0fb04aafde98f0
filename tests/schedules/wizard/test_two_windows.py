"""Two windows, a double click, a stale page: nothing lost, nothing mixed, nothing doubled."""

import pytest
from django.test import Client

from orgs.models import User
from schedules import actions
from schedules.models import Run, Schedule
from schedules.states import ScheduleState
from tests.schedules.wizard.conftest import CONTENT, TIMING, address, marks, open_step, picture

pytestmark = pytest.mark.django_db

MINE, THEIRS = CONTENT | {"text": "mine"}, CONTENT | {"text": "theirs"}


def text_of(draft: Schedule) -> str:
    return Schedule.objects.get(pk=draft.pk).text


def test_a_stale_page_is_told_and_saves_when_posted_again(desk: Client, draft: Schedule):
    first, second = (open_step(desk, draft, "content") for _ in range(2))
    desk.post(address(draft, "content"), THEIRS | second)
    answer = desk.post(address(draft, "content"), MINE | first)
    page = answer.content.decode()
    assert "changed in another window" in page
    assert ">\nmine</textarea>" in page
    assert text_of(draft) == "theirs"
    desk.post(address(draft, "content"), MINE | marks(answer))
    assert text_of(draft) == "mine"


def test_the_same_step_posted_twice_is_saved_once_without_complaint(desk: Client, draft: Schedule):
    page = open_step(desk, draft, "content")
    answers = [desk.post(address(draft, "content"), MINE | page) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Schedule.objects.get(pk=draft.pk).revision == 1


def test_two_windows_on_different_steps_do_not_disturb_each_other(desk: Client, draft: Schedule):
    content, timing = (open_step(desk, draft, step) for step in ("content", "timing"))
    desk.post(address(draft, "content"), MINE | content)
    answer = desk.post(address(draft, "timing"), TIMING | timing)
    assert answer.url == address(draft, "review")
    draft.refresh_from_db()
    assert (draft.text, draft.timing_kind) == ("mine", "weekly")


def test_two_drafts_in_two_windows_stay_apart(desk: Client, draft: Schedule, make_schedule):
    other = make_schedule(text="other")
    pages = [open_step(desk, row, "content") for row in (draft, other)]
    desk.post(address(other, "content"), THEIRS | pages[1])
    desk.post(address(draft, "content"), MINE | pages[0])
    assert (text_of(draft), text_of(other)) == ("mine", "theirs")


def test_saving_while_typing_hands_the_page_its_new_revision(desk: Client, draft: Schedule):
    page = open_step(desk, draft, "content")
    answer = desk.post(address(draft, "content") + "live/", MINE | page).json()
    assert text_of(draft) == "mine"
    assert "mine" in answer["panel"]
    again = {"revision": answer["revision"], "seen": answer["seen"]}
    assert desk.post(address(draft, "content"), THEIRS | again).status_code == 302
    assert text_of(draft) == "theirs"


def test_saving_while_typing_never_overwrites_another_window(desk: Client, draft: Schedule):
    first, second = (open_step(desk, draft, "content") for _ in range(2))
    desk.post(address(draft, "content"), THEIRS | second)
    answer = desk.post(address(draft, "content") + "live/", MINE | first).json()
    assert "another window" in answer["conflict"]
    assert answer["revision"] == first["revision"]
    assert text_of(draft) == "theirs"


def test_registering_twice_registers_once(desk: Client, draft: Schedule):
    draft.timing_kind = "now"
    draft.save()
    page = marks(desk.get(address(draft, "review")))
    answers = [desk.post(address(draft, "confirm"), page) for _ in range(2)]
    assert answers[0].url == answers[1].url
    assert Run.objects.count() == 1


def test_what_changed_since_the_review_is_looked_at_before_it_is_registered(
    desk: Client, draft: Schedule
):
    page = marks(desk.get(address(draft, "review")))
    desk.post(address(draft, "images"), {"images": picture()})
    answer = desk.post(address(draft, "confirm"), page)
    assert answer.url == address(draft, "review")
    draft.refresh_from_db()
    assert draft.state == ScheduleState.DRAFT


def test_what_has_problems_is_not_registered(desk: Client, draft: Schedule):
    draft.text = ""
    draft.save()
    review = desk.get(address(draft, "review"))
    assert f'href="{address(draft, "content")}?check=1#field-text"' in review.content.decode()
    desk.post(address(draft, "confirm"), marks(review))
    draft.refresh_from_db()
    assert draft.state == ScheduleState.DRAFT


def test_a_step_of_a_registered_schedule_leads_to_its_page(
    desk: Client, draft: Schedule, clerk: User
):
    actions.register(draft, by=clerk)
    answer = desk.get(address(draft, "timing"))
    assert answer.url == f"/admin/schedules/schedule/{draft.pk}/change/"


def test_an_edit_takes_effect_once_and_its_second_click_finds_the_schedule(
    desk: Client, draft: Schedule, clerk: User
):
    actions.register(draft, by=clerk)
    copy = actions.begin_edit(draft, by=clerk)
    desk.post(address(copy, "content"), MINE | open_step(desk, copy, "content"))
    assert text_of(draft) == "Good morning"
    page = marks(desk.get(address(copy, "review"))) | {"edits": str(draft.pk)}
    answers = [desk.post(address(copy, "confirm"), page) for _ in range(2)]
    schedule_page = f"/admin/schedules/schedule/{draft.pk}/change/"
    assert [answer.url for answer in answers] == [schedule_page, schedule_page]
    assert text_of(draft) == "mine"
    assert not Schedule.objects.filter(pk=copy.pk).exists()


def test_discarding_an_edit_leaves_the_schedule_as_it_was(
    desk: Client, draft: Schedule, clerk: User
):
    actions.register(draft, by=clerk)
    copy = actions.begin_edit(draft, by=clerk)
    desk.post(address(copy, "content"), MINE | open_step(desk, copy, "content"))
    answer = desk.post(address(copy, "discard"))
    assert answer.url == f"/admin/schedules/schedule/{draft.pk}/change/"
    assert text_of(draft) == "Good morning"
