"""Who is told when beat, or a worker, is silent."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.alerts.gather import gather
from channels.models import Alert, Notice, Telling
from orgs.clock import database_now
from schedules.dispatch.silence import SILENT_AFTER, Silence
from schedules.models import Heartbeat
from tests.conftest import World

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
TICK, LOOP = Heartbeat.Kind.TICK, Heartbeat.Kind.LOOP


@pytest.fixture
def now() -> datetime:
    return database_now()


def told() -> list[str]:
    alerts = Alert.objects.filter(unit_path="").order_by("id")
    return [words for alert in alerts for _at, words in alert.lines]


def looks(*moments: datetime, watch: Silence | None = None) -> list[int]:
    watch = watch or Silence()
    return [watch.look(moment) for moment in moments]


def test_beat_that_stays_silent_is_told_once_to_operators_and_headquarters(
    world: World, now: datetime
) -> None:
    Heartbeat.beat(TICK, "beat", now)
    later = now + 2 * SILENT_AFTER
    for _worker in range(2):
        assert looks(now, later, later + MINUTE, later + 2 * MINUTE) == [0, 0, 1, 1]
    assert told() == [
        "Beat has been silent since then. Messages leave on time: workers plan as well."
    ]
    assert set(Alert.objects.values_list("unit_path", flat=True)) == {"", world.hq.path}


def test_each_worker_that_hangs_is_told_also_one_that_follows_another(
    world: World, now: datetime
) -> None:
    Heartbeat.beat(LOOP, "host:one", now)
    Heartbeat.beat(LOOP, "host:two", now + MINUTE)
    Heartbeat.beat(LOOP, "host:three", now + 5 * MINUTE)
    found = looks(*(now + n * MINUTE for n in range(1, 5)))
    assert found == [0, 1, 2, 2]
    assert [words.split()[2] for words in told()] == ["host:one", "host:two"]


def test_nobody_is_told_where_all_speak_again_at_the_next_look(now: datetime) -> None:
    """After a database that was away, and when all is started anew."""
    Heartbeat.beat(TICK, "beat", now - 60 * MINUTE)
    watch = Silence()
    assert watch.look(now) == 0
    Heartbeat.beat(TICK, "beat", now + MINUTE)
    assert looks(now + MINUTE, now + MINUTE * 1.1, watch=watch) == [0, 0]


def test_nobody_misses_what_has_stopped_as_it_should_or_never_was(now: datetime) -> None:
    Heartbeat.beat(LOOP, "host:one", now)
    Heartbeat.end(LOOP, "host:one")
    assert looks(now + MINUTE, now + 2 * MINUTE) == [0, 0]


def test_operators_are_told_once_and_not_for_each_headquarters(
    world: World, now: datetime, settings: Any
) -> None:
    settings.TEIJI_ALERT_URLS = ["json://127.0.0.1/"]
    Heartbeat.beat(TICK, "beat", now)
    looks(now + MINUTE, now + 2 * MINUTE)
    gather(now + 2 * MINUTE)
    assert Notice.objects.count() == 2
    assert Telling.objects.count() == 1
    assert Notice.objects.first().title == "Teiji: A part of the machine is silent"
