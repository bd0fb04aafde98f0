"""Where a second factor is required: set it up, and see nothing else before."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from logs.models import History
from orgs.models import Token, User
from orgs.second_factor import is_required_of
from tests.config.sign_in.conftest import is_inside, set_up_app, sign_in

pytestmark = pytest.mark.django_db

SET_UP = "/sign-in/second-factor/"


@pytest.fixture(autouse=True)
def required(settings):
    settings.TEIJI_SECOND_FACTOR = ["headquarters", "distributor"]


def test_it_is_required_of_the_kinds_of_units_that_the_setting_names(world):
    names = [name for name, user in world.people.items() if is_required_of(user)]
    assert names == ["hq", "north", "south"]
    assert is_required_of(User.objects.create_superuser("root"))


def test_nobody_needs_one_where_the_setting_is_empty(world, settings):
    settings.TEIJI_SECOND_FACTOR = []
    assert not is_required_of(world.people["hq"])
    assert not is_required_of(User.objects.create_superuser("root"))


def test_everything_leads_to_the_set_up_page_until_there_is_one(client, boss, make_schedule):
    make_schedule(title="Morning notice")
    sign_in(client, "hq")
    for path in ("/admin/", "/admin/schedules/schedule/", "/admin/logs/history/", "/admin/fence/",
                 "/admin/not-confirmed/", "/admin/jsi18n/", "/sign-in/sessions/",
                 "/sign-in/password/", f"{SET_UP}webauthn/"):  # fmt: skip
        for verb in (client.get, client.post):
            answer = verb(path)
            assert (answer.status_code, answer.url) == (302, SET_UP), path
    page = client.get(SET_UP)
    words = page.content.decode()
    assert page.status_code == 200
    assert "Your unit needs a second factor." in words
    assert "/admin/schedules/" not in words  # not even the sidebar
    set_up_app(client)
    assert is_inside(client)


def test_the_session_of_the_admin_opens_the_api_no_further(client, boss):
    sign_in(client, "hq")
    answer = client.get("/api/v1/schedules")
    assert answer.status_code == 403
    assert "second factor" in answer.content.decode()
    set_up_app(client)
    assert client.get("/api/v1/schedules").status_code == 200


def test_a_token_needs_no_second_factor(client, boss):
    _token, key = Token.issue(user=boss, name="shop", scopes=["read"])
    answer = client.get("/api/v1/schedules", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200


def test_a_branch_goes_on_as_before(client, hana):
    sign_in(client, "xinyi")
    assert is_inside(client)


def test_who_is_promoted_is_asked_at_once(client, hana, world):
    sign_in(client, "xinyi")
    member = hana.member_or_none()
    member.unit = world.north
    member.save()
    assert client.get("/admin/").url == SET_UP


def test_one_can_always_sign_out_and_change_the_language(client, boss):
    sign_in(client, "hq")
    assert client.post("/admin/language/", {"language": "ko", "next": SET_UP}).url == SET_UP
    assert client.post("/admin/logout/").url == "/sign-in/"
    assert client.get("/admin/").url.startswith("/admin/login/")


def test_operators_remove_what_somebody_has_lost(client, boss, manage, verbs_of):
    sign_in(client, "hq")
    set_up_app(client)
    assert "totp, never used" in manage("second_factor", "hq").out
    told = manage("second_factor", "hq", "--json").json
    assert (told["user"], told["removed"]) == ("hq", False)
    assert told["factors"][0] == {"kind": "totp", "name": "", "last_used_at": None}
    assert Authenticator.objects.count() == 2
    assert "Removed." in manage("second_factor", "hq", "--remove").out
    assert not Authenticator.objects.exists()
    assert not is_inside(client)  # wherever the lost phone is signed in
    assert verbs_of(boss)[-1] == "factor_removed"
    entry = History.objects.latest("id")
    assert entry.via == "command"
    assert entry.changes["through"] == ["totp", "recovery_codes"]
    again = Client()
    sign_in(again, "hq")
    assert again.get("/admin/").url == SET_UP


def test_the_command_says_what_there_is_not(world, manage):
    assert "has no second factor" in manage("second_factor", "xinyi", "--remove").out
    none = {"user": "xinyi", "factors": [], "removed": False}
    assert manage("second_factor", "xinyi", "--remove", "--json").json == none
    nobody = manage("second_factor", "nobody", "--remove")
    assert nobody.status == 2
    assert "Nobody has the user name" in nobody.err
    assert not History.objects.exists()
