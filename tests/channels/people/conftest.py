"""People of a LINE account that headquarters shares with every branch."""

from collections.abc import Callable
from typing import Any

import pytest

from channels.models import Account, Audience, Recipient
from tests.conftest import World


def line_id(number: int) -> str:
    return f"U{number:032x}"


@pytest.fixture
def account(world: World) -> Account:
    made = Account(unit=world.hq, name="LINE", kind="line", is_shared=True)
    made.secrets = {"access_token": "a" * 40}
    made.save()
    return made


@pytest.fixture
def add_person(world: World, account: Account) -> Callable[..., Recipient]:
    """One more person, of xinyi unless another unit is named."""

    def add(*tags: str, **values: Any) -> Recipient:
        number = Recipient.objects.count()
        defaults = {"unit": world.xinyi, "account": account, "address": line_id(number)}
        person = Recipient.objects.create(**defaults | values)
        person.retag(list(tags))
        return person

    return add


@pytest.fixture
def make_audience(world: World, account: Account) -> Callable[..., Audience]:
    """A rule of taipei's, or with `people` a fixed list."""

    def make(people: list[Recipient] | None = None, **values: Any) -> Audience:
        kind = Audience.Kind.RULE if people is None else Audience.Kind.LIST
        defaults = {"unit": world.taipei, "account": account, "name": "Some", "kind": kind}
        audience = Audience.objects.create(**defaults | values)
        audience.recipients.set(people or [])
        return audience

    return make
