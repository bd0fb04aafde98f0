"""Tokens: whose, shown once, revoked by whom."""

import re

import pytest
from django.test import Client

from logs.models import History
from orgs.models import Token
from orgs.reach import Role
from tests.conftest import World

LIST, ADD = "/admin/orgs/token/", "/admin/orgs/token/add/"
NEW = {"name": "till", "scopes": ["read", "write"], "lifetime": "30"}


def test_the_key_is_shown_once_and_never_again(client: Client, world: World) -> None:
    user = world.person(world.xinyi, Role.VIEWER)
    client.force_login(user)
    answer = client.post(ADD, NEW)
    key = re.search(r'value="(tj_[^"]+)"', answer.content.decode()).group(1)
    token = Token.objects.get()
    assert (token.user, token.scopes, token.hint) == (user, ["read", "write"], key[-4:])
    assert 29 < (token.expires_at - token.created_at).days + 1 <= 30
    assert "no-store" in answer["Cache-Control"]
    for address in (LIST, f"/admin/orgs/token/{token.pk}/change/"):
        page = client.get(address).content.decode()
        assert f"…{key[-4:]}" in page and key not in page and token.digest not in page
    assert key not in str(list(History.objects.values()))


def test_a_token_needs_a_scope_that_exists(client: Client, world: World) -> None:
    client.force_login(world.people["xinyi"])
    for scopes in ([], ["everything"]):
        assert client.post(ADD, NEW | {"scopes": scopes}).status_code == 200
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("person", "is_seen"),
    [("hq", True), ("taipei", True), ("xinyi", True), ("tainan", False), ("south", False)],
)
def test_managers_above_see_and_revoke(
    client: Client, world: World, person: str, is_seen: bool
) -> None:
    owner = world.person(world.xinyi, Role.OPERATOR)
    token, _key = Token.issue(user=owner, name="till", scopes=["read"])
    client.force_login(world.people[person])
    assert token in client.get(LIST).context["cl"].queryset or not is_seen
    client.post(f"/admin/orgs/token/{token.pk}/delete/", {"post": "yes"})
    assert Token.objects.exists() != is_seen


def test_a_colleague_sees_no_token_of_another(client: Client, world: World) -> None:
    Token.issue(user=world.people["xinyi"], name="till", scopes=["read"])
    client.force_login(world.person(world.xinyi, Role.APPROVER))
    assert list(client.get(LIST).context["cl"].queryset) == []


def test_tokens_are_not_edited(client: Client, world: World) -> None:
    token, _key = Token.issue(user=world.people["hq"], name="till", scopes=["read"])
    client.force_login(world.people["hq"])
    answer = client.post(f"/admin/orgs/token/{token.pk}/change/", NEW)
    assert answer.status_code == 403


def test_a_stranger_gets_no_token(client: Client, world: World) -> None:
    client.force_login(world.people["stranger"])
    assert client.post(ADD, NEW).status_code == 403
