"""Signing in with a password: who gets in, who is kept out, and what is left behind."""

import logging

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import NoReverseMatch, reverse

from logs.models import History
from orgs.models import User
from tests.config.sign_in.conftest import PASSWORD, WRONG, is_inside, sign_in

pytestmark = pytest.mark.django_db

TRIES = 5


@pytest.mark.parametrize("name", ["xinyi", "xinyi@example.com", "Xinyi@Example.com", " xinyi "])
def test_a_person_signs_in_by_user_name_or_e_mail(client, hana, name):
    answer = sign_in(client, name)
    assert (answer.status_code, answer.url) == (302, "/admin/")
    assert is_inside(client)


def test_the_admin_leads_to_the_sign_in_and_back_to_where_one_wanted_to_go(client, hana):
    there = "/admin/schedules/schedule/?q=a&state=b"
    answer = client.get(there, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/sign-in/?next=")
    back = sign_in(client, "xinyi", next=answer.wsgi_request.GET["next"])
    assert back.url == there


@pytest.mark.parametrize(
    "there",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)",
     "https:evil.example", "http:///evil.example"],
)  # fmt: skip
def test_nobody_is_led_elsewhere_after_signing_in(client, hana, there):
    assert sign_in(client, "xinyi", next=there).url == "/admin/"
    again = client.get("/sign-in/", {"next": there})
    assert again.url == "/admin/"
    assert client.get("/admin/login/", {"next": there}).url == "/admin/"
    assert client.post("/sign-in/out/", {"next": there}).url == "/sign-in/"


def test_the_admins_own_form_lets_nobody_in(client, hana):
    client.post("/admin/login/", {"username": "xinyi", "password": PASSWORD})
    assert not is_inside(client)


@pytest.mark.parametrize("name", ["xinyi", "xinyi@example.com", "nobody", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(client, hana, name):
    page = sign_in(client, name, WRONG)
    assert page.status_code == 200
    said = page.context["form"].non_field_errors()
    assert said == ["User name and password do not belong together."]
    assert WRONG not in page.content.decode()


def test_after_some_wrong_passwords_the_right_one_is_refused_too(client, hana):
    for _ in range(TRIES):
        sign_in(client, "xinyi", WRONG)
    page = sign_in(client, "xinyi")
    assert "That was wrong too often" in page.context["form"].non_field_errors()[0]
    assert not is_inside(client)
    # From another address, too: it is the name that is guarded.
    assert sign_in(Client(REMOTE_ADDR="203.0.113.9"), "xinyi").status_code == 200


def test_who_tries_many_names_from_one_address_is_stopped(client, hana):
    for number in range(10):
        sign_in(client, f"name-{number}", WRONG)
    assert sign_in(client, "xinyi").status_code == 200
    assert sign_in(Client(REMOTE_ADDR="203.0.113.9"), "xinyi").status_code == 302


def test_behind_a_proxy_of_ours_it_is_the_callers_address_that_counts(client, hana, settings):
    settings.TEIJI_PROXIES = 1
    for number in range(10):
        client.post(
            "/sign-in/",
            {"login": f"name-{number}", "password": WRONG},
            headers={"X-Forwarded-For": f"10.9.9.{number}, 203.0.113.7"},
        )
    form = {"login": "xinyi", "password": PASSWORD}
    stopped = client.post("/sign-in/", form, headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.7"})
    free = client.post("/sign-in/", form, headers={"X-Forwarded-For": "203.0.113.7, 203.0.113.8"})
    assert (stopped.status_code, free.status_code) == (200, 302)


def test_right_passwords_are_not_counted(client, hana):
    for _ in range(TRIES + 2):
        assert sign_in(client, "xinyi").status_code == 302
        client.post("/sign-in/out/")


def test_too_many_tries_of_all_kinds_are_answered_with_429(client, hana):
    answers = [sign_in(client, "xinyi").status_code or client.logout() for _ in range(61)]
    assert answers[-1] == 429
    assert "That came too often" in sign_in(client, "xinyi").content.decode()


def test_the_session_changes_its_name_at_the_door(client, hana):
    client.get("/sign-in/")
    client.post("/admin/language/", {"language": "ko"})
    session = client.session
    session["planted"] = 1
    session.save()
    before = session.session_key
    sign_in(client, "xinyi")
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_a_session_ends_with_the_browser_unless_one_wants_to_stay(client, hana):
    sign_in(client, "xinyi")
    assert client.session.get_expire_at_browser_close()
    other = Client()
    sign_in(other, "xinyi", remember="on")
    assert other.session.get_expiry_age() == django_settings.SESSION_COOKIE_AGE


def test_nobody_signs_up(client):
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
    for path in ("signup/", "email/", "login/code/"):
        assert client.get(f"/sign-in/{path}").status_code == 404


def test_who_is_not_active_does_not_get_in(client, hana):
    User.objects.filter(pk=hana.pk).update(is_active=False)
    assert sign_in(client, "xinyi").url == "/sign-in/inactive/"
    assert "Not active" in client.get("/sign-in/inactive/").content.decode()
    assert not is_inside(client)


def test_who_may_not_use_the_admin_is_told_so_and_not_sent_in_circles(client, hana):
    User.objects.filter(pk=hana.pk).update(is_staff=False)
    sign_in(client, "xinyi")
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "These pages are not open to you" in answer.content.decode()


def test_a_stranger_signs_in_and_sees_nothing(client, world):
    stranger = world.people["stranger"]
    stranger.set_password(PASSWORD)
    stranger.save()
    sign_in(client, "stranger")
    assert "Morning" not in client.get("/admin/").content.decode()
    assert client.get("/sign-in/second-factor/").status_code == 200
    entry = History.objects.get(verb="signed_in")
    assert (entry.kind, entry.unit_path) == ("user", "")  # for superusers alone


def test_signing_in_and_out_is_recorded_with_the_address(client, hana, verbs_of):
    sign_in(client, "xinyi", WRONG)
    sign_in(client, "xinyi")
    client.post("/admin/logout/")
    assert not is_inside(client)
    assert verbs_of(hana) == ["sign_in_failed", "signed_in", "signed_out"]
    failed, entered, left = History.objects.order_by("id")
    assert (failed.actor, failed.changes) == (
        "", {"address": "127.0.0.1", "through": "password"},
    )  # fmt: skip
    assert (entered.actor, entered.address, left.actor) == ("xinyi", "127.0.0.1", "xinyi")
    assert failed.unit_path == hana.member_or_none().unit.path


def test_a_name_that_nobody_has_is_written_down_nowhere(client, hana, caplog):
    caplog.set_level(logging.WARNING)
    sign_in(client, "my-secret-password", WRONG)
    assert not History.objects.exists()
    assert "127.0.0.1" in caplog.text
    assert "my-secret-password" not in caplog.text


def test_a_get_signs_nobody_out(client, hana):
    sign_in(client, "xinyi")
    client.get("/admin/logout/", follow=True)
    client.get("/sign-in/out/")
    assert is_inside(client)


def test_a_post_without_token_is_refused(hana):
    strict = Client(enforce_csrf_checks=True)
    assert sign_in(strict, "xinyi").status_code == 403


def test_one_sees_where_one_is_signed_in_and_signs_out_elsewhere(client, hana, verbs_of):
    other = Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/130.0"})
    sign_in(other, "xinyi")
    sign_in(client, "xinyi")
    page = client.get("/sign-in/sessions/").content.decode()
    assert "Firefox · Windows" in page
    assert "Asia/Taipei" in page
    client.post("/sign-in/sessions/")
    assert is_inside(client)
    assert not is_inside(other)
    assert UserSession.objects.get().user == hana
    assert verbs_of(hana)[-1] == "sessions_ended"


def test_nobody_sees_the_sessions_of_others(client, hana, boss):
    other = Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/130.0"})
    sign_in(other, "hq")
    sign_in(client, "xinyi")
    assert "Firefox" not in client.get("/sign-in/sessions/").content.decode()
    client.post("/sign-in/sessions/")
    assert is_inside(other)


def test_a_new_password_signs_out_everywhere_else(client, hana, verbs_of, mailoutbox):
    other = Client()
    sign_in(other, "xinyi")
    sign_in(client, "xinyi")
    form = {
        "oldpassword": PASSWORD,
        "password1": "another long one",
        "password2": "another long one",
    }
    assert client.post("/sign-in/password/", form | {"oldpassword": WRONG}).status_code == 200
    assert client.post("/sign-in/password/", form).status_code == 302
    assert is_inside(client)
    assert not is_inside(other)
    assert verbs_of(hana)[-1] == "password_changed"
    assert [mail.subject for mail in mailoutbox] == ["Teiji: your password was changed"]


def test_allauths_table_of_addresses_stays_empty(client, hana, settings, mailoutbox):
    settings.TEIJI_ALERT_URLS = ["mailtos://me:secret@example.com"]
    sign_in(client, "xinyi@example.com")
    Client().post("/sign-in/forgotten/", {"email": "xinyi@example.com"})
    assert len(mailoutbox) == 1
    assert not EmailAddress.objects.exists()
