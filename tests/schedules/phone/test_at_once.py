"""A person stops what a phone fetches at the same moment: one comes first, and both know it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from schedules.actions.freeze import freeze
from schedules.actions.pause_run import pause_run
from tests.schedules.at_once import before_statement, on_postgresql, outcome_of
from tests.schedules.phone.conftest import TOKEN

pytestmark = [pytest.mark.django_db(transaction=True), on_postgresql]

STATEMENTS = 20  # more than one fetch has

Stop = Callable[[Any, Any], Any]


def freeze_the_room(world: Any, _delivery: Any) -> Any:
    return freeze(world.xinyi, by=world.people["hq"], why="wrong prices")


def freeze_the_account(world: Any, delivery: Any) -> Any:
    return freeze(delivery.account, by=world.people["hq"], why="wrong prices")


def pause_the_run(world: Any, delivery: Any) -> Any:
    return pause_run(delivery.run, by=world.people["hq"])


@pytest.mark.parametrize("number", range(STATEMENTS))
@pytest.mark.parametrize("stop", [pause_the_run, freeze_the_room, freeze_the_account])
def test_what_is_stopped_before_it_is_given_out_is_not_given_out(
    world: Any, account: Any, send: Callable[..., Any], stop: Stop, number: int
) -> None:
    delivery = send("정각입니다")
    headers = {"Authorization": f"Bearer {TOKEN}", "Teiji-Fetch": "fetch-0001"}
    stopped_before: list[bool] = []

    def watch(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE") and "fetched_at" in sql:
            stopped_before.append(bool(begun) and begun[0].done())
        return execute(sql, *args)

    with (
        before_statement(number, lambda: stop(world, delivery)) as begun,
        connection.execute_wrapper(watch),
    ):
        given = Client().get(reverse("pull-next", args=[account.hook]), headers=headers).json()
    if begun:
        assert not isinstance(outcome_of(begun[0]), Exception)
    assert bool(given["id"]) == (stopped_before == [False])
