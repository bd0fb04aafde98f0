"""`/metrics`: who may read it, and what it says."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from channels.models import Fact, Webhook, WebhookDelivery
from config.metrics import Figured
from logs.models import Counter
from logs.stats.tally import SETTLED_AFTER, roll_up
from orgs.clock import database_now
from schedules.actions.fence import own_installation
from schedules.models import Delivery, Heartbeat, Installation
from tests.conftest import World
from tests.documents.reading import ROOT
from tests.logs.attempts import accepted
from tests.schedules.conftest import planned  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

TOKEN = "a-long-token"


@pytest.fixture
def scrape(client: Client, settings: Any) -> Any:
    """What Prometheus reads: {name and labels: value}."""
    settings.TEIJI_METRICS_TOKEN = TOKEN

    def read() -> dict[str, float]:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        return {
            " ".join([sample.name, *sample.labels.values()]): sample.value
            for family in text_string_to_metric_families(answer.content.decode())
            for sample in family.samples
        }

    return read


@pytest.mark.parametrize(
    ("token", "sent", "status"),
    [
        ("", "", 404),
        ("", "Bearer ", 404),
        (TOKEN, "", 401),
        (TOKEN, f"Bearer {TOKEN}x", 401),
        (TOKEN, f"Token {TOKEN}", 401),
        (TOKEN, "Bearer \u00fc", 401),
        (TOKEN, f"Bearer {TOKEN}", 200),
    ],
)
def test_only_who_has_the_token_reads_it(
    client: Client, settings: Any, token: str, sent: str, status: int
) -> None:
    settings.TEIJI_METRICS_TOKEN = token
    answer = client.get("/metrics", headers={"Authorization": sent} if sent else {})
    assert answer.status_code == status
    assert (b"teiji_" in answer.content) == (status == 200)


def test_being_signed_in_is_no_token(client: Client, world: World, settings: Any) -> None:
    settings.TEIJI_METRICS_TOKEN = TOKEN
    client.force_login(world.people["hq"])
    assert client.get("/metrics").status_code == 401
    assert client.post("/metrics").status_code == 405


def test_lateness_is_a_histogram_that_only_grows(world: World, scrape: Any) -> None:
    now = database_now()
    for late in (-3, 10, 11, 200, 201, 700_000):
        accepted(world.xinyi, now - timedelta(days=100), late)
    first = scrape()
    roll_up(now)
    roll_up(now + SETTLED_AFTER)
    offset = {"teiji_clock_offset_seconds": first["teiji_clock_offset_seconds"]}
    assert scrape() | offset == first  # whether counted or not; clocks differ by the moment
    accepted(world.tainan, now, 1_000)
    accepted(world.tainan, now, 5, channel="webhook")
    second = scrape()
    lateness = {k: v for k, v in second.items() if k.startswith("teiji_lateness_seconds")}
    assert all(second[name] >= value for name, value in first.items() if name in lateness)
    at_most = {"0.01": 2, "0.02": 3, "0.05": 3, "0.1": 3, "0.2": 4, "0.5": 5, "1.0": 6, "2.0": 6,
               "5.0": 6, "10.0": 6, "60.0": 6, "600.0": 6, "+Inf": 7}  # fmt: skip
    for bound, number in at_most.items():
        assert lateness[f"teiji_lateness_seconds_bucket line {bound}"] == number, bound
    assert lateness["teiji_lateness_seconds_count line"] == 7
    assert lateness["teiji_lateness_seconds_sum line"] == pytest.approx(701.422)
    assert lateness["teiji_lateness_seconds_count webhook"] == 1
    assert second["teiji_early_deliveries_total line"] == 1


def test_open_deliveries_are_told_by_state(world: World, scrape: Any, planned: Any) -> None:  # noqa: F811
    rooms = [world.room, world.test_room, world.tainan_room]
    deliveries = [planned(rooms=[room], text=room.name)[0] for room in rooms[:2]]
    now = database_now()
    Delivery.objects.filter(pk=deliveries[0].pk).update(next_try_at=now - timedelta(minutes=2))
    Delivery.objects.filter(pk=deliveries[1].pk).update(next_try_at=now + timedelta(minutes=2))
    found = scrape()
    assert {k: v for k, v in found.items() if k.startswith("teiji_deliveries")} == {
        "teiji_deliveries planned": 2,
        "teiji_deliveries sending": 0,
        "teiji_deliveries unconfirmed": 0,
        "teiji_deliveries_planned_ahead": 1,
        "teiji_deliveries_overdue": 1,
    }
    assert 120 <= found["teiji_oldest_due_age_seconds"] < 180


def test_what_webhooks_have_not_heard_is_told_by_state_and_age(world: World, scrape: Any) -> None:
    now = database_now()
    webhook = Webhook(unit=world.xinyi, name="CRM", url="https://crm.example/", told_from=now)
    webhook.save()
    assert scrape()["teiji_webhook_oldest_age_seconds"] == 0
    for minutes, state in ((3, "waiting"), (2, "waiting"), (9, "failed"), (9, "delivered")):
        at = now - timedelta(minutes=minutes)
        fact = Fact.objects.create(kind="run.sent", unit_path=world.xinyi.path, at=at, data={})
        WebhookDelivery.objects.create(webhook=webhook, fact=fact, state=state, next_try_at=at)
    found = scrape()
    assert found["teiji_webhook_deliveries waiting"] == 2
    assert found["teiji_webhook_deliveries failed"] == 1
    assert 180 <= found["teiji_webhook_oldest_age_seconds"] < 240


def test_every_metric_stands_on_the_page_of_operations(scrape: Any) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    told = set(re.findall(r"^\| `(teiji_[a-z_]+)", page, re.MULTILINE))
    families = Figured(database_now()).collect()
    names = {f.name + ("_total" if f.type == "counter" else "") for f in families}
    assert names == told


def test_nothing_that_is_due_has_no_age(world: World, scrape: Any) -> None:
    assert scrape()["teiji_oldest_due_age_seconds"] == 0


def test_what_is_rare_is_counted_since_ever(scrape: Any) -> None:
    Counter.add(Counter.Name.FENCED_WRITE, 2)
    Counter.add(Counter.Name.FENCED_WRITE, 1)
    Counter.add(Counter.Name.MISSED, 0)
    found = scrape()
    assert found["teiji_fenced_writes_total"] == 3
    assert found["teiji_already_accepted_total"] == 0
    assert found["teiji_missed_total"] == 0
    assert list(Counter.objects.values_list("name", flat=True)) == ["fenced_write"]


def test_a_fence_and_a_wrong_clock_are_told(scrape: Any, monkeypatch: Any) -> None:
    own_installation()
    assert (scrape()["teiji_fenced"], abs(scrape()["teiji_clock_offset_seconds"]) < 1) == (0, True)
    Installation.objects.update(fenced_at=database_now())
    ahead = time.time
    monkeypatch.setattr("orgs.clock.time.time", lambda: ahead() + 7200)
    found = scrape()
    assert found["teiji_fenced"] == 1
    assert 7199 < found["teiji_clock_offset_seconds"] < 7201


def test_signs_of_life_are_told_without_names(scrape: Any) -> None:
    now = database_now()
    Heartbeat.beat(Heartbeat.Kind.LOOP, "host-one:17", now)
    Heartbeat.beat(Heartbeat.Kind.LOOP, "host-two:18", now - timedelta(minutes=5))
    found = scrape()
    assert 0 <= found["teiji_heartbeat_age_seconds loop"] < 60
    assert "teiji_heartbeat_age_seconds tick" not in found  # never seen
    assert found["teiji_workers"] == 1
    assert not any("host" in name for name in found)


def test_it_names_no_unit_no_room_and_no_schedule(world: World, scrape: Any) -> None:
    accepted(world.xinyi, database_now(), 10, schedule_title="Secret", room_name="Hidden")
    text = str(scrape())
    assert not any(word in text for word in ("Secret", "Hidden", "Xinyi", world.xinyi.path))


def test_it_asks_as_often_for_thirty_as_for_one(world: World, scrape: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            scrape()
        return len(queries)

    accepted(world.xinyi, database_now(), 10)
    alone = asked()
    for number in range(30):
        accepted(world.xinyi, database_now(), number, channel=f"channel {number}")
        Heartbeat.beat(Heartbeat.Kind.LOOP, f"worker {number}", database_now())
    assert asked() == alone
