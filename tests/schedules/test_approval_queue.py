"""Answering several questions at once from the queue, which shows all of what is answered."""

import pytest
from django.test import Client

from logs.models import History
from orgs.reach import Role
from schedules.actions import register
from schedules.models import Approval, Schedule
from tests.pages import queries_of
from tests.schedules.approving import agency_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/schedules/approval/"
ANSWER = f"{PAGE}answer/"


@pytest.fixture
def agency(world):
    return agency_of(world)


@pytest.fixture
def chief(agency) -> Client:
    client = Client()
    client.force_login(agency.chief)
    return client


@pytest.fixture
def ask(agency, make_schedule):
    def ask_(text: str, **values) -> Approval:
        by = values.pop("by", agency.clerk)
        made = register(make_schedule(**{"title": text, "text": text} | values), by=by)
        return Approval.objects.get(schedule=made)

    return ask_


def row(asked: Approval) -> str:
    return f"{asked.pk}@{asked.digest}"


def states() -> dict[str, str]:
    return dict(Schedule.objects.values_list("title", "state"))


def said(client: Client, **body) -> str:
    return client.post(ANSWER, body, follow=True).content.decode()


def test_several_are_approved_at_once_and_each_stands_in_the_history(chief, ask):
    ticked = [row(ask("One")), row(ask("Two"))]
    ask("Three")
    assert "2 are approved." in said(chief, row=ticked, answer="approve")
    assert states() == {"One": "active", "Two": "active", "Three": "waiting"}
    assert History.objects.filter(verb="approved").count() == 2


def test_what_has_changed_since_is_refused_by_name_and_holds_up_no_other(chief, ask):
    old, good = ask("Old"), ask("Good")
    ticked = [row(old), row(good)]
    Schedule.objects.filter(pk=old.schedule_id).update(text="Other")
    page = said(chief, row=ticked, answer="approve")
    assert "Old: It has been changed since you looked at it." in page and "1 is approved." in page
    assert states() == {"Old": "waiting", "Good": "active"}


def test_to_refuse_several_needs_a_note_which_each_author_reads(chief, ask):
    ticked = [row(ask("One")), row(ask("Two"))]
    assert "Write down why" in said(chief, row=ticked, answer="refuse", note=" ")
    assert set(states().values()) == {"waiting"}
    assert "2 go back to their authors" in said(chief, row=ticked, answer="refuse", note="Which?")
    assert set(Approval.objects.values_list("verdict", "note")) == {("refused", "Which?")}


@pytest.mark.parametrize("rows", [[], ["x@y"], ["9" * 30], ["²@"], ["1\x00@"]])
def test_what_nobody_offered_answers_nothing(chief, ask, rows):
    ask("One")
    assert "Tick what you mean" in said(chief, row=rows, answer="approve")
    assert states() == {"One": "waiting"}


def test_what_others_have_answered_meanwhile_is_said(chief, ask):
    asked = ask("One")
    said(chief, row=[row(asked)], answer="approve")
    assert "1 does not wait" in said(chief, row=[row(asked)], answer="refuse", note="late")
    assert states() == {"One": "active"}


def test_nobody_elsewhere_answers_it(world, ask):
    asked = ask("One")
    for name in ("south", "xinyi", "tainan"):
        client = Client()
        client.force_login(world.people[name])
        assert "1 does not wait" in said(client, row=[row(asked)], answer="approve")
    assert states() == {"One": "waiting"}


def test_ones_own_are_counted_apart_and_cannot_be_ticked(world, chief, agency, ask):
    ask("Theirs")
    member = agency.clerk.member
    member.unit, member.role = world.taipei, Role.APPROVER
    member.save()
    clerk = Client()
    clerk.force_login(agency.clerk)
    assert "Theirs" not in clerk.get(PAGE).content.decode()
    everything = clerk.get(f"{PAGE}?show=all").content.decode()
    assert "somebody else answers" in everything and 'name="row"' not in everything
    assert "Theirs" in chief.get(PAGE).content.decode()


def test_a_text_that_each_room_has_its_own_of_is_answered_on_its_page(chief, ask):
    ask("Hello {room}")
    page = chief.get(PAGE).content.decode()
    assert "answer it on its page" in page and 'name="row"' not in page


def test_the_line_shows_the_whole_text_every_image_and_where_it_goes(chief, ask, make_images):
    ask("A long text. " * 40 + "Its end", title="Long", images=make_images(2))
    page = chief.get(PAGE).content.decode()
    assert "Its end" in page and page.count("/preview") == 2 and "Xinyi room" in page


def test_the_queue_has_pages_and_asks_as_often_for_thirty_as_for_one(chief, ask):
    ask("One")
    chief.get(PAGE)
    one = queries_of(chief, PAGE)
    for number in range(29):
        ask(f"Text {number}")
    assert abs(queries_of(chief, PAGE) - one) <= 1  # how many there are, where there are pages
    assert chief.get(PAGE).content.decode().count('name="row"') == 25
    assert chief.get(f"{PAGE}?page=2").content.decode().count('name="row"') == 5
