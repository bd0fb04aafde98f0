"""`manage.py reseal`: after it the old key can go."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from channels.models import Account, AlertTarget
from channels.secrets import seal, sealed_at
from logs.models import History

pytestmark = pytest.mark.django_db

SECRET = "a-token-of-the-channel"


def new_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def old(settings: Any) -> str:
    settings.TEIJI_SECRET_KEYS = [new_key()]
    return settings.TEIJI_SECRET_KEYS[0]


@pytest.fixture
def stored(world: Any, old: str) -> Any:
    """A secret of each kind, sealed with the old key."""
    account = Account(unit=world.hq, name="LINE", kind="line")
    account.secrets = {"access_token": SECRET}
    account.save()
    target = AlertTarget(unit=world.hq, name="Ops channel")
    target.url = "json://127.0.0.1/"
    target.save()
    xinyi = world.people["xinyi"]
    for kind, data in (
        ("totp", {"secret": seal({"secret": "JBSWY3DP"})}),
        ("recovery_codes", {"seed": seal({"secret": "0f" * 40}), "used_mask": 5}),
    ):
        Authenticator.objects.create(user=xinyi, type=kind, data=data)
    return account


def test_all_that_is_stored_is_opened_by_the_new_key_alone(
    stored: Any, manage: Any, settings: Any, old: str
) -> None:
    new = new_key()
    settings.TEIJI_SECRET_KEYS = [new, old]
    dated = sealed_at(stored.sealed)
    said = manage("reseal", "--json")
    assert (said.status, said.json) == (0, {"anew": 4, "already": 0, "closed": []})
    settings.TEIJI_SECRET_KEYS = [new]
    account = Account.objects.get(pk=stored.pk)
    assert account.secrets == {"access_token": SECRET}
    assert sealed_at(account.sealed) == dated, "how old a token is stays known"
    assert AlertTarget.objects.get().url == "json://127.0.0.1/"
    codes = Authenticator.objects.get(type="recovery_codes")
    assert codes.wrap().instance.data["used_mask"] == 5
    assert len(codes.wrap().generate_codes()) == 10
    again = manage("reseal", "--json")
    assert again.json == {"anew": 0, "already": 4, "closed": []}
    entry = History.objects.get(verb="resealed")
    assert (entry.via, entry.changes) == ("command", {"secrets": 4})


def test_a_dry_run_changes_nothing(stored: Any, manage: Any, settings: Any, old: str) -> None:
    settings.TEIJI_SECRET_KEYS = [new_key(), old]
    said = manage("reseal", "--dry-run")
    assert "4 secrets would be sealed anew" in said.out
    assert Account.objects.get(pk=stored.pk).sealed == stored.sealed
    assert not History.objects.filter(verb="resealed").exists()


def test_what_no_key_opens_is_named_and_the_others_are_done(
    stored: Any, world: Any, manage: Any, settings: Any, old: str
) -> None:
    settings.TEIJI_SECRET_KEYS = [new_key()]
    lost = Account(unit=world.hq, name="Lost", kind="line")
    lost.secrets = {"access_token": SECRET}
    lost.save()
    settings.TEIJI_SECRET_KEYS = [new_key(), old]
    said = manage("reseal")
    assert said.status == 1
    assert "No key opens that of Lost." in said.out
    assert SECRET not in said.out
    assert Account.objects.get(pk=lost.pk).sealed == lost.sealed
    assert Account.objects.get(pk=stored.pk).sealed != stored.sealed


@pytest.mark.parametrize("keys", [[], ["no key of Fernet"]])
def test_keys_that_are_none_are_said_and_nothing_is_done(
    stored: Any, manage: Any, settings: Any, keys: list[str]
) -> None:
    settings.TEIJI_SECRET_KEYS = keys
    assert manage("reseal").status == 2
    assert Account.objects.get(pk=stored.pk).sealed == stored.sealed


def test_what_the_vendor_replaced_meanwhile_is_stored(
    stored: Any, manage: Any, settings: Any, old: str
) -> None:
    """A worker read the account before it was sealed anew, and comes with a new token after."""
    settings.TEIJI_SECRET_KEYS = [new_key(), old]
    held = Account.objects.get(pk=stored.pk)
    manage("reseal")
    assert held.renew_secrets({"access_token": "new"})
    assert Account.objects.get(pk=stored.pk).secrets == {"access_token": "new"}


def test_a_secret_of_a_second_factor_is_not_opened_by_another_key(
    stored: Any, settings: Any
) -> None:
    settings.TEIJI_SECRET_KEYS = [new_key()]
    with pytest.raises(ImproperlyConfigured):
        Authenticator.objects.get(type="recovery_codes").wrap().generate_codes()
