"""What leaves by itself, mail and lines of the log, tells nobody of what they may not see."""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from channels.actions.notices import choose
from channels.alerts import tell
from channels.alerts.gather import gather
from channels.models import AlertTarget, Fact, FactKind, NoticeChoice
from channels.told import telling
from channels.webhooks.spread import spread
from orgs.clock import database_now
from orgs.models import Unit, User
from schedules.actions import register
from tests.conftest import World
from tests.tenants.canaries import SEES, WORD, Canaries, make_canaries

LATER = timedelta(hours=1)
EVERYTHING = {"bell": "everything", "outside": "everything", "rhythm": "at_once", "place": "mail"}
MAIL = "mailtos://teiji:pw@smtp.example.com?from=teiji@example.com"


@pytest.fixture
def canaries(world: World, make_schedule: Any, settings: Any, tmp_path: Any) -> Canaries:
    """Everybody has a mail address and wants to hear all."""
    settings.MEDIA_ROOT = tmp_path
    settings.TEIJI_ALERT_URLS = [MAIL]
    NoticeChoice.objects.all().delete()
    found = make_canaries(world, make_schedule)
    for code, person in world.people.items():
        User.objects.filter(pk=person.pk).update(email=f"{code}@example.com")
        if code != "stranger":
            choose(EVERYTHING, by=User.objects.get(pk=person.pk))
    return found


def told_of_it(calls: Iterable[Any]) -> set[str]:
    """Whose address is told of a canary."""
    return {call.url.rpartition("to=")[2].partition("@")[0] for call in calls if WORD in call.body}


def all_of(take: Callable[[datetime], list[Any]], now: datetime) -> Iterator[Any]:
    """What is taken in some turns, until nothing is left."""
    while calls := take(now):
        yield from calls


@pytest.mark.django_db
def test_alerts_of_a_branch_reach_those_above_it_and_no_others(world, canaries) -> None:
    members = {code: user.member for code, user in world.people.items() if code != "stranger"}
    AlertTarget.objects.all().delete()
    for code, member in members.items():
        unit = Unit.objects.get(code=code)
        AlertTarget.objects.create(unit=unit, name=f"{code} itself", member=member)
        # As one that was set up while the person belonged there.
        AlertTarget.objects.create(unit=world.tainan, name=f"{code} elsewhere", member=member)
    now = database_now() + LATER
    gather(now)
    calls = [call for call in all_of(tell.take, now) if call.url != MAIL]
    assert told_of_it(calls) == SEES


@pytest.mark.django_db
def test_notices_of_a_run_are_told_to_nobody_who_lost_sight_of_it(world, canaries) -> None:
    run, now = canaries.rows["run"], database_now()
    data = {"run": run.pk, "title": f"{WORD} run", "trigger": "timing", "due_at": now.isoformat()}
    for person in world.people.values():
        facts = {"kind": FactKind.SENT, "unit_path": world.tainan.path, "at": now}
        Fact.objects.create(**facts, data=data, owner=person)
    spread(now)
    assert told_of_it(all_of(telling.take, now + LATER)) == SEES


@pytest.mark.django_db(transaction=True)
def test_what_a_message_says_stands_in_no_line_of_the_log(
    world: World, make_schedule: Any, dispatch: Callable[[], int], caplog: Any
) -> None:
    secret = f"the code is {uuid4().hex}"
    register(make_schedule(text=secret, due_in=3), by=world.people["xinyi"])
    with caplog.at_level(logging.DEBUG):
        while not dispatch():
            pass
    assert caplog.records and secret not in caplog.text
