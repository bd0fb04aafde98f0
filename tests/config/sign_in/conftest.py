"""People who have a password, and an authenticator app."""

import time
from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal import auth
from django.test import Client

from logs.models import History
from orgs.models import User
from tests.conftest import World

PASSWORD = "long enough, and nobody's"
WRONG = "not the password"


@pytest.fixture(autouse=True)
def quick_hashes(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def hana(world: World) -> User:
    """Manages Xinyi, a branch."""
    return with_password(world, "xinyi")


@pytest.fixture
def boss(world: World) -> User:
    """Manages the headquarters."""
    return with_password(world, "hq")


def with_password(world: World, name: str) -> User:
    user = world.people[name]
    user.set_password(PASSWORD)
    user.email = f"{name}@example.com"
    user.save()
    return user


def sign_in(client: Client, login: str, password: str = PASSWORD, **more: str):
    return client.post("/sign-in/", {"login": login, "password": password, **more})


def is_inside(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def confirm(client: Client) -> None:
    """What a page asks for before it changes how one signs in."""
    client.post("/sign-in/confirm/", {"password": PASSWORD})


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows, so many steps of its clock from now."""
    counter = int(time.time()) // 30 + steps
    return auth.format_hotp_value(auth.hotp_value(secret, counter))


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """As a person does it; gives the app's secret, and the recovery codes."""
    confirm(client)
    page = client.get("/sign-in/second-factor/totp/activate/")
    secret = page.context["form"].secret
    answer = client.post("/sign-in/second-factor/totp/activate/", {"code": code_of(secret)})
    assert answer.status_code == 302, answer.context["form"].errors
    return secret, client.get(answer.url).context["unused_codes"]


@pytest.fixture
def verbs_of() -> Callable[[User], list[str]]:
    """What the history says of a person, oldest first."""

    def verbs(user: User) -> list[str]:
        rows = History.objects.filter(kind="member", object_id=str(user.member_or_none().pk))
        return list(rows.order_by("id").values_list("verb", flat=True))

    return verbs
