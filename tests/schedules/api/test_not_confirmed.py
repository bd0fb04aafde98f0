"""The worklist over HTTP."""

from datetime import timedelta

import pytest

from channels.models import Account
from orgs.reach import Role
from schedules.models import Delivery
from tests.schedules.api.calling import caller, ids

pytestmark = pytest.mark.django_db

LIST = "/not-confirmed"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def without_keys(world):
    Account.objects.update(config={"honours_key": "no"})


def seen(api, row: Delivery) -> str:
    return api.get(f"{LIST}/{row.pk}").json()["seen"]


def test_it_lists_the_oldest_first_with_the_evidence(api, doubtful):
    newer, older = doubtful(text="Two"), doubtful(ago=HOUR)
    answer = api.get(LIST)
    assert ids(answer) == [older.pk, newer.pk]
    entry = answer.json()["results"][0]
    assert entry["text"] == "Good morning"
    assert entry["late_seconds"] >= 3600
    assert entry["attempts"][0]["error"] == entry["error"] == "The line broke."
    assert entry["why"].startswith("It was handed over")
    assert (entry["asked_until"], entry["left_by"]) == (None, None)


def test_its_parts_are_told_apart(api, doubtful):
    waiting, asked = doubtful(text="One"), doubtful("asked", text="Two")
    left = doubtful(text="Three")
    body = {"verdict": "leave", "seen": seen(api, left), "note": "Later"}
    assert api.post(f"{LIST}/{left.pk}/resolve", body).status_code == 200
    for part, row in (("decide", waiting), ("asked", asked), ("left", left)):
        assert ids(api.get(f"{LIST}?show={part}")) == [row.pk]
    assert len(ids(api.get(LIST))) == 3
    assert api.get(f"{LIST}/{left.pk}").json()["left_note"] == "Later"
    assert api.get(f"{LIST}?show=what").status_code == 400


def test_one_is_decided(api, doubtful):
    row = doubtful()
    body = {"verdict": "arrived", "seen": seen(api, row)}
    answer = api.post(f"{LIST}/{row.pk}/resolve", body)
    assert (answer.status_code, answer.json()) == (200, {"id": row.pk, "state": "sent"})
    again = api.post(f"{LIST}/{row.pk}/resolve", body)
    assert again.status_code == 409
    assert "has decided at" in again.json()["detail"]


def test_a_verdict_needs_the_doubt_that_was_read(api, doubtful):
    row = doubtful()
    assert api.post(f"{LIST}/{row.pk}/resolve", {"verdict": "arrived"}).status_code == 400
    body = {"verdict": "arrived", "seen": "2020-01-01T00:00:00Z"}
    assert api.post(f"{LIST}/{row.pk}/resolve", body).status_code == 409
    assert Delivery.objects.get().state == "unconfirmed"


def test_what_is_long_past_is_sent_only_when_it_is_meant(api, doubtful):
    row = doubtful(ago=HOUR)
    body = {"verdict": "send_again", "seen": seen(api, row)}
    assert api.post(f"{LIST}/{row.pk}/resolve", body).status_code == 409
    assert api.post(f"{LIST}/{row.pk}/resolve", {**body, "sure": True}).status_code == 200
    assert Delivery.objects.get().state == "planned"


def test_many_are_decided_and_each_refusal_is_named(api, world, doubtful):
    rows = [doubtful(text="One"), doubtful(text="Two", ago=HOUR)]
    foreign = doubtful(unit=world.tainan, rooms=[world.tainan_room])
    named = [{"id": row.pk, "seen": seen(api, row)} for row in rows]
    named += [{"id": pk, "seen": named[0]["seen"]} for pk in (foreign.pk, 10**9)]
    answer = api.post(f"{LIST}/resolve", {"verdict": "send_again", "rows": named}).json()
    assert answer["decided"] == [rows[0].pk]
    refused = {row["id"]: row for row in answer["refused"]}
    assert set(refused) == {rows[1].pk, foreign.pk, 10**9}
    assert refused[rows[1].pk]["needs_sure"]
    assert refused[foreign.pk] | {"id": 0} == refused[10**9] | {"id": 0}
    assert Delivery.objects.get(pk=foreign.pk).state == "unconfirmed"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"verdict": "arrived"}, {"verdict": "arrived", "rows": []},
        {"verdict": "arrived", "rows": [{"id": 1}]}, {"verdict": "arrived", "rows": [1]},
        {"verdict": "arrived", "rows": [{"id": "1", "seen": "2020-01-01T00:00:00Z"}]},
        {"verdict": "what", "rows": [{"id": 1, "seen": "2020-01-01T00:00:00Z"}]},
        {"verdict": "arrived", "rows": [{"id": 1, "seen": "2020-01-01T00:00:00Z", "x": 1}]},
    ],
)  # fmt: skip
def test_what_is_not_well_said_is_refused(api, body):
    assert api.post(f"{LIST}/resolve", body).status_code == 400


def test_a_foreign_row_is_as_good_as_none(world, doubtful):
    row = doubtful()
    stranger = caller(world.person(world.tainan, Role.OPERATOR))
    body = {"verdict": "arrived", "seen": row.completed_at.isoformat()}
    answers = [stranger.post(f"{LIST}/{pk}/resolve", body) for pk in (row.pk, 10**9)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert ids(stranger.get(LIST)) == []


def test_who_may_only_read_decides_nothing(world, doubtful):
    row = doubtful()
    body = {"verdict": "arrived", "seen": row.completed_at.isoformat()}
    for reader in (caller(world.people["xinyi"], "read"),
                   caller(world.person(world.xinyi, Role.VIEWER))):  # fmt: skip
        assert ids(reader.get(LIST)) == [row.pk]
        assert reader.post(f"{LIST}/{row.pk}/resolve", body).status_code == 403
    assert Delivery.objects.get().state == "unconfirmed"
