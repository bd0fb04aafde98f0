"""Where alerts go is set by managers; which were told is shown to them."""

import pytest

from channels.alerts.gather import gather
from channels.alerts.words import OVER, PLACES, TITLES
from channels.models import AlertTarget, Notice
from orgs.reach import Role
from tests.channels.alerts.conftest import raise_one, tell_all
from tests.fakes.discord import URL
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

TARGETS = "/admin/channels/alerttarget/"
NOTICES = "/admin/channels/notice/"


@pytest.fixture
def manager(client, world):
    client.force_login(world.people["north"])
    return client


def form(unit, **values):
    return {"unit": unit.pk, "name": "Ops", "url": URL, "member": "", "is_active": "on"} | values


def problems(answer) -> str:
    return str(answer.context["adminform"].form.errors)


def test_a_manager_sets_a_target_and_it_is_told_a_greeting(manager, world, discord, start):
    assert manager.post(f"{TARGETS}add/", form(world.north)).status_code == 302
    target = AlertTarget.objects.get()
    assert (target.url, target.service) == (URL, "discord")
    tell_all(start.replace(year=start.year + 1))
    [entry] = discord.log
    assert "From now on the alerts of North come here." in entry.content


def test_the_url_is_never_shown_again_and_kept_when_it_is_left_empty(manager, world, add_target):
    target = add_target(world.north)
    address = f"{TARGETS}{target.pk}/change/"
    assert "s3cret" not in manager.get(address).content.decode()
    manager.post(address, form(world.north, url="", name="Renamed"))
    target.refresh_from_db()
    assert (target.name, target.url) == ("Renamed", URL)
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": ""}, "Give a URL, or choose a member."),
        ({"url": "file:///etc/passwd"}, "not the URL of a service"),
        ({"url": "discord://only-one"}, "not how this service’s URL is written"),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(manager, world, values, words):
    assert words in problems(manager.post(f"{TARGETS}add/", form(world.north, **values)))
    assert not AlertTarget.objects.exists()


def test_a_member_must_reach_the_unit_and_have_a_mail_address(manager, world):
    low, high = world.people["xinyi"], world.people["north"]
    type(low).objects.filter(pk=low.pk).update(email="low@example.com")
    without = manager.post(f"{TARGETS}add/", form(world.north, url="", member=high.member.pk))
    assert "no mail address" in problems(without)
    below = manager.post(f"{TARGETS}add/", form(world.north, url="", member=low.member.pk))
    assert "does not reach" in problems(below)
    both = manager.post(f"{TARGETS}add/", form(world.xinyi, member=low.member.pk))
    assert "not both" in problems(both)
    right = manager.post(f"{TARGETS}add/", form(world.xinyi, url="", member=low.member.pk))
    assert right.status_code == 302
    assert AlertTarget.objects.get().member == low.member


def test_a_target_can_become_a_member_and_back(manager, world, add_target):
    person = world.people["xinyi"]
    type(person).objects.filter(pk=person.pk).update(email="x@example.com")
    target = add_target(world.xinyi)
    address = f"{TARGETS}{target.pk}/change/"
    manager.post(address, form(world.xinyi, url="", member=person.member.pk))
    target.refresh_from_db()
    assert (target.sealed, target.member) == ("", person.member)
    manager.post(address, form(world.xinyi))
    target.refresh_from_db()
    assert (target.url, target.member) == (URL, None)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_only_managers_see_them(client, world, add_target, role, start):
    add_target(world.north)
    raise_one(world.xinyi, start)
    gather(start)
    client.force_login(world.person(world.north, role))
    assert client.get(TARGETS).status_code == client.get(NOTICES).status_code == 403


def test_to_whom_an_alert_was_told_is_shown_and_why_not(manager, world, start, discord, add_target):
    add_target(world.north, name="Ops channel")
    add_target(world.north, name="Gone", url="discord://1/gone")
    raise_one(world.xinyi, start, text="Morning notice")
    tell_all(start)
    page = manager.get(NOTICES).content.decode()
    assert "Ops channel" in page
    assert "could not be told" in page
    notice = Notice.objects.get()
    page = manager.get(f"{NOTICES}{notice.pk}/change/").content.decode()
    for words in ("Morning notice", "Ops channel", "It did not take it (HTTP 404)."):
        assert words in page


def test_that_nobody_is_told_is_shown_to_the_headquarters(client, world, start):
    raise_one(world.xinyi, start)
    gather(start)
    client.force_login(world.people["hq"])
    assert "Nobody: no alert target is set" in client.get(NOTICES).content.decode()
    client.force_login(world.people["north"])
    assert "Nobody" not in client.get(NOTICES).content.decode()


def test_the_list_takes_as_many_queries_for_one_as_for_many(manager, world, start, add_target):
    add_target(world.north)
    raise_one(world.xinyi, start, "0", subject="s0")
    gather(start)
    manager.get(NOTICES)
    few = queries_of(manager, NOTICES)
    for number in range(1, 6):
        raise_one(world.xinyi, start, f"{number}", subject=f"s{number}")
    gather(start)
    assert queries_of(manager, NOTICES) == few


def test_each_kind_leads_to_a_page_that_is_there(client, world):
    client.force_login(world.people["hq"])
    assert set(TITLES) == set(PLACES)
    assert set(OVER) <= set(TITLES)
    for place in PLACES.values():
        assert client.get(place).status_code == 200, place
