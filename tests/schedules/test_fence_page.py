"""The banner that says that nothing is sent, and the page on which a person decides."""

from datetime import timedelta

import pytest
from django.test import Client

from logs.models import History
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Role
from schedules.actions.fence import Trouble, own_installation, put_up
from schedules.models import Delivery, Installation

pytestmark = pytest.mark.django_db

PAGE = "/admin/fence/"
ABOVE = "All sending is stopped."
OTHERS = "All sending is stopped, for everybody."
SECRET = "database 16384 → 20481"


@pytest.fixture
def fenced(db):
    fence_it()


def fence_it() -> None:
    own_installation()
    put_up(Trouble("clone", SECRET), now=database_now())


@pytest.fixture
def boss(world, client) -> Client:
    client.force_login(world.people["hq"])
    return client


def text(client: Client, address: str = "/admin/") -> str:
    return client.get(address).content.decode()


def test_no_page_speaks_of_the_fence_while_it_is_down(boss):
    assert ABOVE not in text(boss)
    assert "Stop all sending" in text(boss, PAGE)


def test_the_way_to_the_page_is_shown_to_who_may_go_it(boss, world):
    assert f'href="{PAGE}"' in text(boss)
    boss.force_login(world.people["north"])
    assert PAGE not in text(boss)


@pytest.mark.usefixtures("fenced")
@pytest.mark.parametrize(
    "address",
    ["/admin/", "/admin/schedules/schedule/", "/admin/schedules/schedule/add/", PAGE],
)
def test_every_page_says_so_to_the_headquarters(boss, address):
    page = boss.get(address, follow=True).content.decode()
    assert ABOVE in page
    assert f'href="{PAGE}"' in page


@pytest.mark.usefixtures("fenced")
@pytest.mark.parametrize("who", ["north", "xinyi", "stranger"])
def test_others_see_that_and_no_more(client, world, who):
    client.force_login(world.people[who])
    page = text(client)
    assert OTHERS in page
    assert PAGE not in page
    assert "copied or moved" not in page
    assert SECRET not in page


@pytest.mark.usefixtures("fenced")
def test_who_is_not_signed_in_sees_nothing(client):
    page = text(client, "/sign-in/")
    assert ABOVE not in page
    assert OTHERS not in page


@pytest.mark.usefixtures("fenced")
@pytest.mark.parametrize("who", ["north", "taipei", "xinyi", "stranger", "an operator"])
def test_to_others_the_page_is_not_there(client, world, who):
    person = world.person(world.hq, Role.OPERATOR) if who == "an operator" else world.people[who]
    client.force_login(person)
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, {"act": "skip", "note": "please"}).status_code == 404
    assert Installation.objects.fenced()


def test_the_page_says_why_and_what_waits(boss, planned):
    planned(title="Morning notice")
    fence_it()
    now = database_now()
    Delivery.objects.update(due_at=now - timedelta(seconds=1))
    page = text(boss, PAGE)
    for words in ("copied or moved", SECRET, "Xinyi", "sandbox", "Morning notice", "Xinyi room"):
        assert words in page


@pytest.mark.parametrize(("act", "state"), [("skip", "skipped"), ("send", "planned")])
def test_lifting_skips_or_sends_what_was_due(boss, planned, act, state):
    (delivery,) = planned()
    fence_it()
    Delivery.objects.update(due_at=database_now() - timedelta(seconds=1))
    page = boss.post(PAGE, {"act": act, "note": "the old one is off"}, follow=True)
    assert "Messages are sent again." in page.content.decode()
    assert ABOVE not in page.content.decode()
    delivery.refresh_from_db()
    assert delivery.state == state
    entry = History.objects.get(verb="lifted")
    assert (entry.actor, entry.via, entry.changes["note"]) == ("hq", "admin", "the old one is off")


@pytest.mark.usefixtures("fenced")
def test_beside_another_headquarters_one_can_only_skip_and_reads_why(boss):
    assert 'value="send"' in text(boss, PAGE)
    Unit.objects.add_root({"kind": "headquarters", "code": "other", "name": "Other"})
    page = text(boss, PAGE)
    assert 'value="skip"' in page and 'value="send"' not in page
    assert "Other headquarters share this database" in page
    page = boss.post(PAGE, {"act": "send", "note": "all of it"}, follow=True).content.decode()
    assert ABOVE in page and "Other headquarters share this database" in page


@pytest.mark.usefixtures("fenced")
@pytest.mark.parametrize("note", ["", "  ", "\x00"])
def test_a_note_is_asked_for(boss, note):
    page = boss.post(PAGE, {"act": "skip", "note": note}).content.decode()
    assert "Write down why" in page
    assert Installation.objects.fenced()


def test_stopping_by_hand(boss):
    page = boss.post(PAGE, {"act": "stop", "note": "a wrong price"}, follow=True).content.decode()
    assert ABOVE in page
    assert "a wrong price" in page
    assert Installation.objects.fenced().reason == "by_hand"
    again = boss.post(PAGE, {"act": "stop", "note": "once more"}, follow=True).content.decode()
    assert "stopped already" in again


def test_looking_changes_nothing_and_a_decision_needs_the_pages_token(world, fenced):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.people["hq"])
    assert strict.get(PAGE).status_code == 200
    assert strict.post(PAGE, {"act": "skip", "note": "forged"}).status_code == 403
    assert Installation.objects.fenced()


def test_an_act_that_does_not_exist_is_refused(boss, fenced):
    assert boss.post(PAGE, {"act": "send_all", "note": "x"}).status_code == 404


@pytest.mark.usefixtures("fenced")
def test_a_fenced_installation_is_not_ready(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["fence"] == "fenced (clone): see manage.py fence"
