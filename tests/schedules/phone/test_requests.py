"""The two requests of a phone: who is believed, what is told, and what is refused."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from channels.models import Account, PulledMessage
from schedules.phone import MOST_IN_WINDOW
from tests.schedules.phone.conftest import TOKEN

pytestmark = pytest.mark.django_db(transaction=True)


def fetch(account, token=TOKEN, **headers):
    given = {"Authorization": f"Bearer {token}", "Teiji-Fetch": "abcdefgh"} | headers
    return Client().get(reverse("pull-next", args=[account.hook]), headers=given)


def acknowledge(account, body, token=TOKEN):
    url, headers = reverse("pull-ack", args=[account.hook]), {"Authorization": f"Bearer {token}"}
    raw = body if isinstance(body, str) else json.dumps(body)
    return Client().post(url, raw, content_type="application/json", headers=headers)


def test_what_is_given_out_is_kept_nowhere_on_the_way(send, account):
    send()
    answer = fetch(account)
    assert "no-store" in answer["Cache-Control"]
    assert set(answer.json()) == {"id", "room", "text", "seconds"}
    assert 20 <= answer.json()["seconds"] <= 25


@pytest.mark.parametrize("token", ["", "mb_wrong", "é", "mb_" + "y" * 43])
def test_without_the_token_nothing_is_told_not_even_whether_there_is_an_account(
    send, account, world, token
):
    send()
    nobody = Account(hook=uuid4())
    answers = [fetch(one, token) for one in (account, nobody, world.sandbox)]
    answers += [acknowledge(one, {}, token) for one in (account, nobody, world.sandbox)]
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (401, answers[0].content)
    }
    assert PulledMessage.objects.get().fetched_at is None


def test_one_accounts_token_opens_no_other(send, account, world):
    send()
    other = Account(unit=world.hq, name="Other", kind="messengerbot")
    other.secrets = {"token": "mb_" + "z" * 43}
    other.save()
    assert fetch(account, other.secrets["token"]).status_code == 401
    uid = fetch(account).json()["id"]
    said = {"id": uid, "shown": True}
    assert acknowledge(other, said, other.secrets["token"]).status_code == 404
    assert (
        acknowledge(other, said | {"id": str(uuid4())}, other.secrets["token"]).status_code == 404
    )


@pytest.mark.parametrize("name", ["", "short", "with space", "x" * 65, "한글한글한글한글"])
def test_a_fetch_needs_a_name(account, name):
    assert fetch(account, **{"Teiji-Fetch": name}).status_code == 400


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", "\x00", "[" * 5000, '{"id": "x", "shown": true}', '{"id": 5, "shown": true}',
     {"id": str(uuid4())}, {"id": str(uuid4()), "shown": "true"}, {"id": str(uuid4()), "shown": 1},
     {"id": str(uuid4()), "shown": True, "why": "x" * 20_000}],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_without_a_fault(account, body):
    assert acknowledge(account, body).status_code == 400


def test_odd_words_of_a_phone_are_kept_as_far_as_they_can_be(send, account):
    send()
    uid = fetch(account).json()["id"]
    said = f'{{"id": "{uid}", "shown": false, "why": "\\u0000\\ud800 {"x" * 500}"}}'
    assert acknowledge(account, said).json() == {"id": uid, "shown": False}
    assert len(PulledMessage.objects.get().why) == 200


def test_acknowledging_twice_tells_the_first_word_both_times(send, account):
    send()
    uid = fetch(account).json()["id"]
    assert acknowledge(account, {"id": uid, "shown": False}).json()["shown"] is False
    assert acknowledge(account, {"id": uid, "shown": True}).json()["shown"] is False


def test_who_asks_too_often_is_put_off_before_anything_is_looked_up(
    account, django_assert_num_queries
):
    for _ in range(MOST_IN_WINDOW):
        fetch(account, "wrong")
    with django_assert_num_queries(0):
        answer = fetch(account)
    assert answer.status_code == 429
    assert answer["Retry-After"]


def test_a_get_and_a_post_only(account):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert (
        Client().post(reverse("pull-next", args=[account.hook]), headers=headers).status_code == 405
    )
    assert (
        Client().get(reverse("pull-ack", args=[account.hook]), headers=headers).status_code == 405
    )
