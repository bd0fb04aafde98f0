"""Second factors: an app's codes and recovery codes. Passkeys: tests/browser/test_sign_in.py."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from tests.config.sign_in.conftest import (
    code_of,
    confirm,
    is_inside,
    set_up_app,
    sign_in,
)

# allauth tells of some things only when they are committed.
pytestmark = pytest.mark.django_db(transaction=True)

ENTER = "/sign-in/second-factor/authenticate/"


@pytest.fixture
def app(client, hana) -> tuple[str, list[str]]:
    """Hana has set up an app: its secret, and her recovery codes."""
    sign_in(client, "xinyi")
    return set_up_app(client)


def half_in() -> Client:
    """Somebody who knows her password."""
    client = Client()
    assert sign_in(client, "xinyi").url == ENTER
    return client


def test_the_password_alone_is_not_enough_then(app):
    secret, _codes = app
    client = half_in()
    assert not is_inside(client)
    assert client.get("/sign-in/second-factor/").status_code == 302
    assert client.get("/api/v1/schedules").status_code in (401, 403)
    assert client.post(ENTER, {"code": "000000"}).status_code == 200
    assert not is_inside(client)
    assert client.post(ENTER, {"code": code_of(secret, 1)}).status_code == 302
    assert is_inside(client)


def test_a_code_that_was_used_is_not_taken_again(app):
    secret, _codes = app
    code = code_of(secret, 1)
    assert half_in().post(ENTER, {"code": code}).status_code == 302
    page = half_in().post(ENTER, {"code": f"{code[:3]} {code[3:]}"})
    assert page.context["form"].errors["code"] == ["This code is not right, or was used before."]


def test_a_recovery_code_works_once(app):
    _secret, codes = app
    assert len(codes) == 10
    assert half_in().post(ENTER, {"code": codes[3]}).status_code == 302
    assert half_in().post(ENTER, {"code": codes[3]}).status_code == 200
    assert half_in().post(ENTER, {"code": codes[4]}).status_code == 302


def test_recovery_codes_are_shown_once(client, app):
    _secret, codes = app
    page = client.get("/sign-in/second-factor/recovery-codes/").content.decode()
    assert "cannot be shown again" in page
    assert [code for code in codes if code in page] == []
    assert client.get("/sign-in/second-factor/recovery-codes/download/").status_code in (403, 404)


def test_new_recovery_codes_replace_the_old_ones(client, app):
    _secret, old = app
    made = client.post("/sign-in/second-factor/recovery-codes/generate/", follow=True)
    new = made.context["unused_codes"]
    assert not set(old) & set(new)
    assert half_in().post(ENTER, {"code": old[0]}).status_code == 200
    assert half_in().post(ENTER, {"code": new[0]}).status_code == 302


def test_codes_cannot_be_tried_out(app):
    secret, _codes = app
    client = half_in()
    for number in range(5):
        client.post(ENTER, {"code": f"00000{number}"})
    page = client.post(ENTER, {"code": code_of(secret, 1)})
    assert "That was wrong too often" in page.context["form"].errors["code"][0]
    # A new start with the password changes nothing.
    assert half_in().post(ENTER, {"code": code_of(secret, 1)}).status_code == 200


def test_neither_the_secret_nor_a_code_can_be_read_in_the_database(app):
    secret, codes = app
    stored = str(list(Authenticator.objects.values()))
    assert Authenticator.objects.count() == 2
    assert [text for text in (secret, *codes) if text in stored] == []


def test_who_finds_an_open_session_changes_nothing_without_the_password(client, hana):
    sign_in(client, "xinyi")
    for page in ("totp/activate/", "webauthn/add/"):
        answer = client.get(f"/sign-in/second-factor/{page}")
        assert answer.url.startswith("/sign-in/confirm/?next=")
    wrong = client.post("/sign-in/confirm/", {"password": "wrong"})
    assert wrong.context["form"].errors["password"] == ["This is not your password."]
    client.post("/sign-in/second-factor/totp/activate/", {"code": "123456"})
    assert not Authenticator.objects.exists()


def test_sessions_elsewhere_end_when_a_factor_is_set_up(client, hana):
    elsewhere = Client()
    sign_in(elsewhere, "xinyi")
    sign_in(client, "xinyi")
    set_up_app(client)
    assert is_inside(client)
    assert not is_inside(elsewhere)


def test_setting_up_and_removing_is_recorded_and_mailed(client, app, hana, verbs_of, mailoutbox):
    confirm(client)
    assert client.get("/sign-in/second-factor/totp/deactivate/").status_code == 200
    client.post("/sign-in/second-factor/totp/deactivate/")
    assert not Authenticator.objects.exists()
    factor = ["factor_added", "factor_added"]  # the app, and the recovery codes with it
    assert verbs_of(hana) == ["signed_in", *factor, "factor_removed", "factor_removed"]
    assert sign_in(Client(), "xinyi").url == "/admin/"
    told = [mail.subject.partition(": ")[2] for mail in mailoutbox]
    assert told == ["an authenticator app was set up", "the authenticator app was removed"]
    assert "User name: xinyi" in mailoutbox[1].body


def test_a_wrong_code_is_recorded(app, hana, verbs_of):
    half_in().post(ENTER, {"code": "000000"})
    assert verbs_of(hana)[-1] == "sign_in_failed"


def test_one_breaks_off_and_signs_in_as_somebody_else(app, boss):
    client = half_in()
    client.post("/sign-in/out/")
    assert client.get(ENTER).url == "/sign-in/"
    assert sign_in(client, "hq").url == "/admin/"


def test_nobody_touches_the_passkey_of_another(client, hana, boss):
    key = Authenticator.objects.create(user=hana, type="webauthn", data={"name": "phone"})
    sign_in(client, "hq")
    confirm(client)
    for verb in ("edit", "remove"):
        path = f"/sign-in/second-factor/webauthn/keys/{key.pk}/{verb}/"
        assert client.get(path).status_code == 404
        assert client.post(path, {"name": "mine"}).status_code == 404
    assert "phone" not in client.get("/sign-in/second-factor/webauthn/").content.decode()
    key.refresh_from_db()
    assert key.data == {"name": "phone"}


@pytest.mark.parametrize(
    "credential",
    ["", "{}", "[]", "null", '"x"', "1", '{"id": 1}', '{"id": "eA", "rawId": "eA"}', "{", "\x00",
     '{"id": "eA", "rawId": "eA", "response": {}}', '{"response": {"userHandle": 7}}'],
)  # fmt: skip
def test_an_answer_that_is_no_passkeys_is_refused(app, client, credential):
    client.post("/sign-in/out/")
    form = {"credential": credential}
    assert client.post("/sign-in/second-factor/webauthn/login/", form).url == "/sign-in/"
    half = half_in()
    assert half.post(ENTER, form).status_code == 200
    assert not is_inside(half)
    sign_in(client, "xinyi")
    client.post(ENTER, {"code": app[1][0]})
    confirm(client)
    assert client.post("/sign-in/second-factor/webauthn/add/", form).status_code == 200
    assert not Authenticator.objects.filter(type="webauthn").exists()
