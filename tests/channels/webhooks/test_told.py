"""Endpoints are told what happened: in their units, of the events they chose, signed, repeated."""

from collections import Counter
from datetime import timedelta

import pytest

from channels.actions import webhooks as acts
from channels.models import Alert, Fact, FactKind, Webhook, WebhookAttempt, WebhookDelivery
from channels.webhooks.note import GIVEN_UP_AFTER, RETRY_AFTER, delay
from channels.webhooks.post import waited
from channels.webhooks.spread import spread
from channels.webhooks.take import OF_ONE, take
from logs.models import History
from orgs.clock import database_now
from orgs.refusal import Refused
from tests.channels.webhooks.conftest import call_all, happen

pytestmark = pytest.mark.django_db


@pytest.fixture
def start():
    return database_now()


def states():
    return list(WebhookDelivery.objects.order_by("id").values_list("state", flat=True))


def test_an_endpoint_is_told_of_its_unit_and_of_those_below_it_alone(world, add, receiver, start):
    add(world.north)
    happen(world.xinyi, start, title="below")
    happen(world.north, start, title="itself")
    happen(world.hq, start, title="above")
    happen(world.tainan, start, title="beside")
    call_all(start)
    assert [heard.body["data"]["title"] for heard in receiver.log] == ["below", "itself"]
    first = receiver.log[0].body
    assert (first["type"], first["version"]) == ("run.sent", 1)
    assert first["unit"] == {"id": world.xinyi.pk, "code": "xinyi", "name": "Xinyi"}
    assert states() == ["delivered", "delivered"]


def test_it_is_told_what_it_chose_and_not_what_was_before_it(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start, FactKind.SKIPPED)
    happen(world.xinyi, start - timedelta(minutes=2))
    happen(world.xinyi, start, FactKind.FAILED)
    call_all(start)
    assert [heard.body["type"] for heard in receiver.log] == ["run.failed"]


def test_an_inactive_one_is_told_nothing(world, add, receiver, start):
    add(world.xinyi, is_active=False)
    happen(world.xinyi, start)
    assert call_all(start) == []
    assert WebhookDelivery.objects.count() == 0


def test_spread_twice_is_spread_once(world, add, start):
    add(world.xinyi)
    happen(world.xinyi, start)
    assert (spread(start), spread(start)) == (1, 0)
    Fact.objects.update(spread_at=None)
    spread(start)
    assert states() == ["waiting"]


def test_what_was_not_taken_is_tried_again_with_the_same_body_and_id(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start, title="once")
    receiver.status = 500
    call_all(start)
    assert states() == ["waiting"]
    assert call_all(start + timedelta(seconds=59)) == []
    receiver.status = 200
    call_all(start + timedelta(seconds=73))
    assert states() == ["delivered"]
    assert list(WebhookAttempt.objects.values_list("status", flat=True)) == [500, 200]
    [heard] = receiver.log
    assert heard.message_id == Fact.objects.get().message_id
    assert heard.raw.decode() == Fact.objects.get().body
    assert Webhook.objects.get().failing_since is None


def test_retry_after_is_waited_for(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start)
    receiver.status, receiver.headers = 429, {"Retry-After": "7200"}
    call_all(start)
    assert WebhookDelivery.objects.get().next_try_at == start + timedelta(hours=2)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("99999999", 86_400), ("-1", None), ("soon", None), ("", None)],
)
def test_retry_after_is_read(start, header, seconds):
    assert waited(header, start) == (None if seconds is None else timedelta(seconds=seconds))


def test_tries_grow_apart_from_a_minute_to_a_day_and_end(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start)
    receiver.status = 503
    now = start
    for tries, seconds in enumerate((*RETRY_AFTER, None), start=1):
        call_all(now)
        row = WebhookDelivery.objects.get()
        assert row.tries == tries
        if seconds:
            assert seconds <= (row.next_try_at - now).total_seconds() <= seconds * 1.2
            now = row.next_try_at
    assert states() == ["failed"]
    assert {delay(1, None) for _ in range(5)} != {delay(1, None)}, "there is jitter"


def test_gone_switches_it_off_and_its_managers_are_told(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start)
    happen(world.xinyi, start)
    receiver.status = 410
    call_all(start)
    webhook = Webhook.objects.get()
    assert (webhook.is_active, states()) == (False, ["failed", "failed"])
    alert = Alert.objects.get()
    assert (alert.kind, alert.unit_path) == ("webhook", world.xinyi.path)
    assert "HTTP 410" in alert.lines[0][1]
    assert History.objects.filter(verb="stopped", kind="webhook").count() == 1


def test_days_without_success_switch_it_off(world, add, receiver, start):
    webhook = add(world.xinyi)
    receiver.status = 500
    Webhook.objects.update(failing_since=start - GIVEN_UP_AFTER + timedelta(hours=1))
    happen(world.xinyi, start)
    call_all(start)
    webhook.refresh_from_db()
    assert webhook.is_active
    happen(world.xinyi, start)
    call_all(start + timedelta(hours=2))
    webhook.refresh_from_db()
    assert not webhook.is_active
    assert Alert.objects.count() == 1


def test_a_redirect_is_not_followed(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start)
    receiver.status, receiver.headers = 307, {"Location": f"{receiver.url}/elsewhere"}
    [answer] = call_all(start)
    assert (answer.status, receiver.requests) == (307, 1)


def test_a_private_address_is_not_called_whatever_was_saved(world, add, receiver, start, settings):
    add(world.xinyi)
    happen(world.xinyi, start)
    settings.TEIJI_OUTGOING_ALLOW = []
    [answer] = call_all(start)
    assert (answer.status, receiver.requests) == (None, 0)
    assert "public" in answer.why or "https" in answer.why


def test_nothing_is_said_of_a_url_that_does_not_answer(world, add, receiver, start):
    add(world.xinyi, url="http://127.0.0.1:9/token-of-somebody")
    happen(world.xinyi, start)
    [answer] = call_all(start)
    assert answer.status is None
    assert "token-of-somebody" not in answer.why


def test_for_a_day_a_new_secret_and_the_old_one_both_sign(world, add, receiver, start):
    webhook = add(world.xinyi)
    old = webhook.secrets["secret"]
    renewed = acts.renew_secret(webhook, by=world.people["hq"])
    new = renewed.secrets["secret"]
    assert new != old
    assert renewed.signing_secrets(start + timedelta(hours=23)) == [new, old]
    assert renewed.signing_secrets(start + timedelta(hours=25)) == [new]
    for known in (old, new):
        receiver.secrets = [known]
        happen(world.xinyi, start)
        call_all(start)
    assert [len(heard.signatures) for heard in receiver.log] == [2, 2]


def test_a_busy_endpoint_leaves_room_for_others_and_a_failing_one_more(world, add, start):
    busy, failing, other = (add(world.xinyi) for _ in range(3))
    Webhook.objects.filter(pk=failing.pk).update(failing_since=start)
    for _ in range(10):
        happen(world.xinyi, start)
    spread(start)
    calls = Counter(call.webhook for call in take(start, Counter()))
    assert calls == {busy.pk: OF_ONE, failing.pk: 1, other.pk: OF_ONE}
    assert take(start, Counter(calls)) == []
    assert {c.webhook for c in take(start, Counter({failing.pk: 1}))} == {busy.pk, other.pk}


def test_who_dies_with_a_call_leaves_it_to_another(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start)
    spread(start)
    assert len(take(start, Counter())) == 1
    assert take(start + timedelta(seconds=30), Counter()) == []
    call_all(start + timedelta(seconds=61))
    assert len(receiver.log) == 1


def test_what_was_told_is_told_again_by_a_person(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start)
    call_all(start)
    row = WebhookDelivery.objects.get()
    acts.resend(row, by=world.people["xinyi"])
    with pytest.raises(Refused, match="already"):
        acts.resend(row, by=world.people["xinyi"])
    call_all(database_now())
    assert len({heard.message_id for heard in receiver.log}) == 1
    assert len(receiver.log) == 2


def test_whoever_mended_an_endpoint_need_not_wait_for_its_next_try(world, add, receiver, start):
    add(world.xinyi)
    happen(world.xinyi, start)
    receiver.status = 500
    call_all(start)
    call_all(start + timedelta(seconds=90))  # the next try is minutes away
    receiver.status = 204
    acts.resend(WebhookDelivery.objects.get(), by=world.people["xinyi"])
    call_all(database_now())
    assert states() == ["delivered"]


def test_what_a_worker_may_be_telling_is_not_told_beside_it(world, add, start):
    add(world.xinyi)
    happen(world.xinyi, database_now())
    spread(database_now())
    assert len(take(database_now(), Counter())) == 1
    with pytest.raises(Refused, match="already"):
        acts.resend(WebhookDelivery.objects.get(), by=world.people["xinyi"])


def test_a_test_goes_to_one_endpoint_whatever_it_chose(world, add, receiver):
    webhook = add(world.xinyi)
    add(world.xinyi)
    acts.send_test(webhook, by=world.people["xinyi"])
    call_all(database_now())
    assert [heard.body["type"] for heard in receiver.log] == ["webhook.test"]
    acts.change(webhook, {"is_active": False}, by=world.people["xinyi"], url_problem="")
    with pytest.raises(Refused, match="switched off"):
        acts.send_test(webhook, by=world.people["xinyi"])


def test_switched_off_it_gives_up_and_switched_on_it_begins_anew(world, add, receiver, start):
    webhook, by = add(world.xinyi), world.people["xinyi"]
    happen(world.xinyi, start)
    spread(start)
    acts.change(webhook, {"is_active": False}, by=by, url_problem="")
    assert states() == ["failed"]
    happen(world.xinyi, start)
    Webhook.objects.update(failing_since=start, stopped_at=start, stopped_why="why")
    acts.change(webhook, {"is_active": True}, by=by, url_problem="")
    assert call_all(start) == []
    webhook.refresh_from_db()
    assert (webhook.failing_since, webhook.stopped_at, webhook.stopped_why) == (None, None, "")


def test_the_history_keeps_neither_secret_nor_url(world, add):
    webhook = add(world.xinyi, url="https://crm.example.com/hooks/s3cret?key=s3cret")
    kept = str(list(History.objects.values()))
    assert "crm.example.com" in kept
    assert "s3cret" not in kept
    assert webhook.secrets["secret"] not in kept
