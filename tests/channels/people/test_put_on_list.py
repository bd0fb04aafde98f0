"""People who are ticked in their list come on a fixed list."""

from typing import Any

import pytest
from django.test import Client

from channels.models import Audience

pytestmark = pytest.mark.django_db

RECIPIENTS = "/admin/channels/recipient/"


@pytest.fixture
def staff(client: Client, world) -> Client:
    """The manager of taipei."""
    client.force_login(world.people["taipei"])
    return client


def text_of(answer: Any) -> str:
    return answer.content.decode()


def put_on(staff, people, **form: str) -> Any:
    chosen = {"action": "put_on_list", "_selected_action": [person.pk for person in people]}
    return staff.post(RECIPIENTS, chosen | form, follow=True)


def test_people_that_are_ticked_come_on_a_list_or_a_new_one(staff, add_person, make_audience):
    people = [add_person(name="Ann"), add_person(name="Ben")]
    known = make_audience([], name="Known")
    asked = text_of(put_on(staff, people))
    assert "Onto which list do 2 people come?" in asked and "Ann, Ben" in asked.replace(
        "Ben, Ann", "Ann, Ben"
    )
    said = put_on(staff, people, sure="yes", audience=str(known.pk), name="")
    assert "2 people are on the list." in text_of(said) and known.count() == 2
    put_on(staff, people[:1], sure="yes", audience="", name="Fresh")
    fresh = Audience.objects.get(name="Fresh")
    assert (fresh.kind, fresh.unit.code, fresh.count()) == ("list", "taipei", 1)


def test_why_people_come_on_no_list_is_said(staff, add_person, make_audience, world):
    person = add_person()
    elsewhere = make_audience([], unit=world.south, name="Foreign")
    rule = make_audience(name="Rule")
    for form, said in (
        ({"audience": "", "name": ""}, "Choose a list, or name a new one."),
        ({"audience": str(elsewhere.pk), "name": ""}, "Select a valid choice"),
        ({"audience": str(rule.pk), "name": ""}, "Select a valid choice"),
        ({"audience": "", "name": "Rule"}, "already exists"),
    ):  # fmt: skip
        page = text_of(put_on(staff, [person], sure="yes", **form))
        assert said in page, form
    other = add_person(account=world.sandbox, address="x")
    assert "people of one account" in text_of(put_on(staff, [person, other]))
    assert not Audience.objects.filter(recipients=person).exists()


def test_no_more_people_are_put_on_a_list_than_a_form_can_hold(staff, add_person, monkeypatch):
    monkeypatch.setattr("channels.admin.put_on_list.MOST", 1)
    assert "At most 1 people at once" in text_of(put_on(staff, [add_person(), add_person()]))
