"""A headquarters' manager sees the pages as somebody below: read-only, for a while, recorded."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from config.view_as.session import KEY, LASTS
from logs.models import History
from orgs.clock import database_now
from orgs.grants import may_view_as
from orgs.models import Member, Token, Unit, User
from orgs.reach import Role
from tests.conftest import World
from tests.tenants.canaries import WORD, make_canaries
from tests.tenants.routes import routes

pytestmark = pytest.mark.django_db


def begin(client: Client, person: User, opens: str = "/admin/") -> Any:
    return client.post(f"/admin/view-as/members/{person.member.pk}/", {"next": opens})


@pytest.fixture
def client(world: World) -> Client:
    """The headquarters' manager's."""
    made = Client(raise_request_exception=False)
    made.force_login(world.people["hq"])
    return made


def told(verb: str) -> list[tuple[str, dict[str, Any]]]:
    return list(History.objects.filter(verb=verb).values_list("actor", "changes"))


def test_only_a_manager_of_a_headquarters_sees_as_somebody_who_may_do_less(world: World) -> None:
    people = {
        **world.people,
        **{f"hq-{role.name}": world.person(world.hq, role) for role in Role},
        "root": User.objects.create(username="root", is_staff=True, is_superuser=True),
    }
    Member.objects.create(user=people["root"], unit=world.xinyi, role=Role.VIEWER)
    away = world.person(world.north, Role.VIEWER)
    User.objects.filter(pk=away.pk).update(is_active=False)
    people["away"] = User.objects.get(pk=away.pk)
    other = Unit.objects.plant(kind="headquarters", code="other", name="Other")
    people["elsewhere"] = world.person(other, Role.VIEWER)
    members = {name: Member.objects.filter(user=user).first() for name, user in people.items()}
    allowed = {
        name: {m for m, member in members.items() if member and may_view_as(user, member)}
        for name, user in people.items()
        if name != "root"
    }
    below = {"hq-VIEWER", "hq-OPERATOR", "hq-APPROVER", "north", "south", "taipei", "xinyi",
             "tainan"}  # fmt: skip
    assert {name: who for name, who in allowed.items() if who} == {
        "hq": below,
        "hq-MANAGER": below,
    }
    assert may_view_as(people["root"], members["hq"])


def test_the_pages_and_the_api_are_those_of_that_person(
    world: World, client: Client, make_schedule: Any
) -> None:
    make_canaries(world, make_schedule)
    assert WORD in client.get("/api/v1/units").text
    assert begin(client, world.people["xinyi"], "/admin/channels/room/").status_code == 302
    assert WORD not in client.get("/admin/channels/room/").text
    assert WORD not in client.get("/api/v1/units").text
    assert client.get("/admin/orgs/token/").context["user"].username == "xinyi"


def test_a_banner_says_who_until_when_and_how_to_leave(world: World, client: Client) -> None:
    begin(client, world.people["xinyi"])
    for page in ("/admin/", "/admin/channels/room/", "/admin/nowhere/", "/admin/organisation/"):
        text = client.get(page).text
        assert "You see the pages as xinyi (Xinyi, manager)." in text, page
        assert 'action="/admin/view-as/leave/"' in text, page
    client.post("/admin/view-as/leave/")
    assert "You see the pages as" not in client.get("/admin/").text
    assert client.get("/admin/").context["user"].username == "hq"


def test_nothing_can_be_changed_meanwhile_on_any_address(
    world: World, client: Client, make_schedule: Any, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    canaries = make_canaries(world, make_schedule)
    person = User.objects.get(pk=world.people["tainan"].pk)
    addresses = [route.foreign for route in routes(canaries)]
    begin(client, person)
    before, entries = canaries.snapshot(), History.objects.count()
    for address in addresses:
        if address == "/admin/view-as/leave/":
            continue
        for verb in ("post", "put", "patch", "delete"):
            answer = getattr(client, verb)(address)
            assert answer.status_code == 403, (verb, address)
    assert (canaries.snapshot(), History.objects.count()) == (before, entries)
    assert client.post("/admin/language/", {"language": "ko"}).status_code == 403
    assert User.objects.get(pk=person.pk).language == ""


def test_a_token_does_not_help_to_write_from_such_a_session(world: World, client: Client) -> None:
    _token, key = Token.issue(user=world.people["hq"], name="x", scopes=["write"])
    begin(client, world.people["xinyi"])
    answer = client.post("/api/v1/schedules", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("Nothing can be changed")


def test_how_that_person_signs_in_is_not_shown(world: World, client: Client) -> None:
    begin(client, world.people["xinyi"])
    for page in ("/sign-in/second-factor/", "/sign-in/sessions/", "/sign-in/password/change/"):
        assert client.get(page).status_code == 403, page


def test_none_begins_within_another(world: World, client: Client) -> None:
    begin(client, world.people["north"])
    assert begin(client, world.people["xinyi"]).status_code == 403
    assert client.get("/admin/").context["user"].username == "north"


@pytest.mark.parametrize("who", ["north", "xinyi", "stranger"])
def test_to_others_it_is_not_there(world: World, who: str) -> None:
    client = Client()
    client.force_login(world.people[who])
    answers = [begin(client, world.people[name]) for name in ("hq", "taipei", "tainan")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert KEY not in client.session


def test_beginning_and_end_stand_in_the_history_with_both_names(
    world: World, client: Client
) -> None:
    begin(client, world.people["xinyi"], "/admin/channels/room/")
    client.post("/admin/view-as/leave/")
    ((actor, facts),) = told("view_as_begun")
    assert (actor, facts["viewer"], facts["seen_as"]) == ("hq", "hq", "xinyi")
    assert facts["opened"] == "/admin/channels/room/"
    ((actor, facts),) = told("view_as_ended")
    assert (actor, facts["seen_as"], facts["by_itself"]) == ("hq", "xinyi", False)
    entry = History.objects.get(verb="view_as_begun")
    assert (entry.via, entry.unit_path) == ("admin", world.xinyi.path)


def run_out(client: Client) -> None:
    session = client.session
    session[KEY] |= {"until": (database_now() - timedelta(seconds=1)).isoformat()}
    session.save()


def test_it_ends_by_itself_and_what_was_asked_then_is_not_done(
    world: World, client: Client
) -> None:
    begin(client, world.people["xinyi"])
    until = History.objects.get(verb="view_as_begun").changes["until"]
    assert timedelta(minutes=30) == LASTS and until
    run_out(client)
    count = Unit.objects.count()
    answer = client.post("/admin/orgs/unit/add/", {"kind": "agency", "code": "x", "name": "x"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert Unit.objects.count() == count
    assert client.get("/admin/").context["user"].username == "hq"
    assert told("view_as_ended")[0][1]["by_itself"] is True


def test_in_the_api_it_ends_with_an_answer_that_does_nothing(world: World, client: Client) -> None:
    begin(client, world.people["xinyi"])
    run_out(client)
    assert client.get("/api/v1/units").status_code == 403
    assert client.get("/api/v1/units").status_code == 200


def test_who_loses_the_right_meanwhile_is_themselves_again_at_once(
    world: World, client: Client
) -> None:
    begin(client, world.people["xinyi"])
    Member.objects.filter(user=world.people["hq"]).update(role=Role.VIEWER)
    assert client.get("/admin/channels/account/").status_code == 302
    assert KEY not in client.session


def test_a_person_who_is_removed_meanwhile_is_seen_no_more(world: World, client: Client) -> None:
    begin(client, world.people["xinyi"])
    Member.objects.filter(user=world.people["xinyi"]).delete()
    assert client.get("/admin/").context["user"].username == "hq"


def test_signing_out_ends_it(world: World, client: Client) -> None:
    begin(client, world.people["xinyi"])
    client.post("/admin/logout/")
    assert told("view_as_ended")
    assert client.get("/admin/").status_code == 302


def test_the_second_factor_is_asked_of_who_looks(
    world: World, client: Client, settings: Any
) -> None:
    settings.TEIJI_SECOND_FACTOR = ["branch"]
    begin(client, world.people["xinyi"])
    assert client.get("/admin/").status_code == 200
    assert client.get("/api/v1/rooms").status_code == 200
    settings.TEIJI_SECOND_FACTOR = ["headquarters"]
    assert client.get("/admin/").status_code == 302
    assert client.get("/api/v1/rooms").status_code == 403
    Authenticator.objects.create(user=world.people["hq"], type="totp", data={})
    assert client.get("/admin/").status_code == 200


def test_what_reading_records_is_recorded_under_who_looked(world: World, client: Client) -> None:
    begin(client, world.people["xinyi"])
    before = History.objects.count()
    client.get("/admin/logs/history/export/csv/")
    actors = set(History.objects.order_by("id")[before:].values_list("actor", flat=True))
    assert actors <= {"hq"}
