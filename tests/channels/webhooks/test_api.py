"""Webhooks by a program."""

import pytest

from channels.models import Webhook, WebhookDelivery
from orgs.clock import database_now
from orgs.reach import Role
from tests.channels.webhooks.conftest import call_all, happen
from tests.schedules.api.calling import caller, ids

pytestmark = pytest.mark.django_db

BODY = {"name": "CRM", "url": "https://93.184.215.14/hook", "events": ["run.sent"]}


@pytest.fixture
def xinyi(world):
    return caller(world.people["xinyi"])


def test_one_is_made_changed_and_removed(world, xinyi):
    made = xinyi.post("/webhooks", BODY)
    assert made.status_code == 201
    row = made.json()
    assert (row["unit"], row["is_active"]) == (world.xinyi.pk, True)
    assert "secret" not in row
    address = f"/webhooks/{row['id']}"
    changed = xinyi.patch(address, {"events": ["run.failed", "run.sent"]}).json()
    assert changed["events"] == ["run.sent", "run.failed"]
    assert ids(xinyi.get("/webhooks")) == [row["id"]]
    assert xinyi("delete", address).status_code == 204
    assert xinyi.get(address).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "http://93.184.215.14/"}, "url"),
        ({"url": ""}, "url"),
        ({"events": []}, "events"),
        ({"events": ["everything"]}, "events"),
        ({"events": "run.sent"}, "events"),
        ({"secret": "mine"}, "secret"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_said_by_field_at_once_and_later(xinyi, body, field):
    made = xinyi.post("/webhooks", BODY | body)
    assert (made.status_code, list(made.json()["errors"])) == (400, [field])
    address = f"/webhooks/{xinyi.post('/webhooks', BODY).json()['id']}"
    changed = xinyi.patch(address, body)
    assert (changed.status_code, list(changed.json()["errors"])) == (400, [field])


def test_the_same_name_again_is_refused(xinyi):
    assert xinyi.post("/webhooks", BODY).status_code == 201
    assert xinyi.post("/webhooks", BODY).status_code in (400, 409)
    assert Webhook.objects.count() == 1


def test_the_secret_needs_the_scope_to_write_and_is_no_answer_that_is_kept(world, xinyi):
    made = xinyi.post("/webhooks", BODY, **{"Idempotency-Key": "once"})
    address = f"/webhooks/{made.json()['id']}"
    first = xinyi.get(f"{address}/secret")
    assert first.json()["secret"].startswith("whsec_")
    assert first.headers["Cache-Control"] == "no-store"
    assert caller(world.people["xinyi"], "read").get(f"{address}/secret").status_code == 403
    renewed = xinyi.post(f"{address}/renew-secret", None, **{"Idempotency-Key": "twice"})
    second = xinyi.get(f"{address}/secret").json()
    assert second["secret"] != first.json()["secret"]
    assert second["previous_until"] is not None
    for answer in (made, renewed):
        assert second["secret"] not in answer.text
        assert first.json()["secret"] not in answer.text


def test_the_log_tells_each_try_and_sends_again(world, xinyi, add, receiver):
    webhook = add(world.xinyi)
    happen(world.xinyi, database_now())
    receiver.status = 500
    call_all(database_now())
    address = f"/webhooks/{webhook.pk}/deliveries"
    [row] = xinyi.get(address).json()["results"]
    assert (row["event"], row["state"], row["tries"]) == ("run.sent", "waiting", 1)
    assert [attempt["status"] for attempt in row["attempts"]] == [500]
    again = f"{address}/{row['id']}/resend"
    receiver.status = 200
    assert [xinyi.post(again).status_code for _press in range(2)] == [202, 409]
    call_all(database_now())
    assert xinyi.post(again).status_code == 202
    call_all(database_now())
    assert len(receiver.log) == 2
    assert xinyi.get(f"{address}/{row['id']}").json()["state"] == "delivered"


def test_a_test_is_sent(world, xinyi, add, receiver):
    webhook = add(world.xinyi)
    answer = xinyi.post(f"/webhooks/{webhook.pk}/test")
    assert (answer.status_code, answer.json()["event"]) == (202, "webhook.test")
    call_all(database_now())
    assert receiver.log[0].message_id == answer.json()["message_id"]


def test_others_and_lower_roles_reach_none(world, add):
    webhook = add(world.xinyi)
    happen(world.xinyi, database_now())
    call_all(database_now())
    row = WebhookDelivery.objects.get()
    calls = [f"/webhooks/{webhook.pk}", f"/webhooks/{webhook.pk}/deliveries/{row.pk}"]
    for call in calls:
        assert caller(world.people["tainan"]).get(call).status_code == 404
        assert caller(world.person(world.xinyi, Role.OPERATOR)).get(call).status_code == 403
        world.people["xinyi"].member.unit.refresh_from_db()
        type(world.people["hq"]).objects.filter(username="xinyi-operator").delete()
    beside = add(world.taipei)
    mixed = f"/webhooks/{beside.pk}/deliveries/{row.pk}"
    assert caller(world.people["taipei"]).get(mixed).status_code == 404
