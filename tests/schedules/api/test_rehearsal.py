"""What is registered or changed by the API is asked about before: a refusal names the field, and no
transaction is open while a channel is asked."""

from collections.abc import Callable
from typing import Any

import pytest

from channels.models import Room
from schedules.dispatch import rehearse
from schedules.models import Preflight, Run, Schedule
from schedules.states import ScheduleState

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

PUSH = "/v2/bot/message/validate/push"
NO = "LINE would not take the text: Too loud"
LOUD = {"BUY NOW": "Too loud"}


@pytest.fixture
def to_line(body: Callable[..., Any], line_rooms: list[Room]) -> Callable[..., Any]:
    """A schedule to two groups at LINE."""

    def build(**values: Any) -> dict[str, Any]:
        return body(rooms=[room.pk for room in line_rooms]) | values

    return build


@pytest.fixture
def registered(api, to_line, at_line) -> int:
    found = int(api.post("/schedules", to_line()).json()["id"])
    at_line.requests.clear()
    return found


def test_what_line_takes_is_registered_and_was_asked_about_once(api, to_line, at_line):
    answer = api.post("/schedules", to_line())
    assert (answer.status_code, answer.json()["state"]) == (201, "active")
    assert answer.json()["preflight"]["findings"] == []
    assert at_line.requests == {PUSH: 1} and at_line.log == []
    assert Schedule.objects.count() == 1


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k-1"}])
def test_what_line_refuses_is_refused_by_field_and_nothing_is_left(api, to_line, at_line, key):
    at_line.dislikes = LOUD
    answer = api.post("/schedules", to_line(text="BUY NOW"), **key)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] == {"text": [NO]}
    assert not Schedule.objects.exists() and not Run.objects.exists()
    answer = api.post("/schedules", to_line(text="Please buy"), **key)
    assert answer.status_code == 201, "mended, it may be sent with the same key"


def test_which_image_is_refused_is_named(api, to_line, at_line, make_images):
    at_line.dislikes = {"messages[1].previewImageUrl": "Too large"}
    images = [image.pk for image in make_images(1)]
    answer = api.post("/schedules", to_line(images=images))
    words = "LINE would not take image 1, “image 0.png”: Too large"
    assert answer.json()["errors"] == {"images": [words]}


def test_where_line_says_nothing_it_is_registered_and_a_worker_looks(
    api, to_line, at_line, monkeypatch
):
    monkeypatch.setattr(rehearse, "SECONDS", 0.3)
    at_line.faults_of_questions.add("hang_never_accept", seconds=60)
    answer = api.post("/schedules", to_line())
    assert (answer.status_code, answer.json()["state"]) == (201, "active")
    told = answer.json()["preflight"]
    assert [finding["what"] for finding in told["findings"]] == ["unseen"]
    assert told["is_waiting"]


def test_a_token_that_is_refused_is_told_and_keeps_nobody_from_registering(api, to_line, at_line):
    at_line.revoke_tokens()
    answer = api.post("/schedules", to_line())
    assert answer.status_code == 201
    assert [one["what"] for one in answer.json()["preflight"]["findings"]] == ["credentials"]


def test_a_draft_is_asked_about_when_it_is_registered(api, to_line, at_line):
    draft = api.post("/schedules", to_line(state="draft", text="BUY NOW")).json()["id"]
    assert at_line.requests == {}
    at_line.dislikes = LOUD
    answer = api.post(f"/schedules/{draft}/register")
    assert (answer.status_code, answer.json()["errors"]) == (400, {"text": [NO]})
    assert api.patch(f"/schedules/{draft}", {"text": "Please buy"}).status_code == 200
    assert at_line.requests == {PUSH: 1}
    assert api.post(f"/schedules/{draft}/register").json()["state"] == "active"
    assert api.post(f"/schedules/{draft}/register").status_code == 200
    assert at_line.requests == {PUSH: 2}


@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_change_that_line_refuses_changes_nothing(api, to_line, at_line, registered, method):
    at_line.dislikes = LOUD
    answer = api(method, f"/schedules/{registered}", to_line(text="BUY NOW"))
    assert (answer.status_code, answer.json()["errors"]) == (400, {"text": [NO]})
    row = Schedule.objects.get()
    assert (row.text, row.revision, row.state) == (to_line()["text"], 0, ScheduleState.ACTIVE)
    answer = api(method, f"/schedules/{registered}", to_line(text="Please buy"))
    assert (answer.status_code, answer.json()["text"]) == (200, "Please buy")


def test_what_is_refused_anyway_is_not_asked_about(api, to_line, at_line, registered):
    assert api.post("/schedules", to_line(title=" ")).status_code == 400
    assert api.post("/schedules", b"{").status_code == 400
    assert api.patch(f"/schedules/{registered}", {"revision": 7, "text": "x"}).status_code == 409
    assert api.patch("/schedules/999999", {"text": "x"}).status_code == 404
    assert at_line.requests == {}


def test_a_body_that_cannot_be_read_says_so_as_ever(api, at_line, line_account):
    assert "JSON" in api.post("/schedules", b"{").json()["detail"]
    assert "JSON" in api.post("/schedules/batch", b"{").json()["detail"]


def test_what_was_answered_before_is_repeated_without_asking(api, to_line, at_line):
    first = api.post("/schedules", to_line(), **{"Idempotency-Key": "k-1"})
    at_line.dislikes = {to_line()["text"]: "Too loud"}
    again = api.post("/schedules", to_line(), **{"Idempotency-Key": "k-1"})
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert at_line.requests == {PUSH: 1}


def test_of_many_each_is_answered_for_itself(api, to_line, at_line, body):
    at_line.dislikes = LOUD
    items = [to_line(), to_line(text="BUY NOW"), 5, body(), to_line(text="Please buy")]
    answer = api.post("/schedules/batch", {"items": items})
    rows = answer.json()["results"]
    assert [row["status"] for row in rows] == [201, 400, 400, 201, 201]
    assert rows[1]["problem"]["errors"] == {"text": [NO]}
    assert at_line.requests == {PUSH: 3}
    changes = [
        {"id": rows[0]["id"], "text": "BUY NOW"},
        {"id": rows[4]["id"], "text": "Please, please buy"},
    ]
    answer = api.patch("/schedules/batch?all_or_nothing=true", {"items": changes})
    assert [row["status"] for row in answer.json()["results"]] == [400, 424]
    answer = api.patch("/schedules/batch", {"items": changes})
    assert [row["status"] for row in answer.json()["results"]] == [400, 200]


def test_nothing_is_asked_of_line_for_other_channels(api, body, at_line, line_account):
    assert api.post("/schedules", body()).status_code == 201
    assert at_line.requests == {} and not Preflight.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_line_is_asked(api, to_line, at_line, in_transactions):
    key = {"Idempotency-Key": "k-1"}
    made = api.post("/schedules", to_line(), **key).json()["id"]
    assert api.patch(f"/schedules/{made}", {"text": "Another"}).status_code == 200
    items = [{"id": made, "text": "A third"}]
    answer = api.patch("/schedules/batch?all_or_nothing=true", {"items": items})
    assert answer.json()["done"] == 1
    items = [to_line(text="A fourth")]
    assert api.post("/schedules/batch", {"items": items}, **{"Idempotency-Key": "k-2"}).json()[
        "done"
    ]
    draft = api.post("/schedules", to_line(text="A fifth", state="draft")).json()["id"]
    api.post(f"/schedules/{draft}/register", **{"Idempotency-Key": "k-3"})
    assert in_transactions == [False] * 5
    assert Schedule.objects.filter(state=ScheduleState.ACTIVE).count() == 3
    assert not Schedule.objects.filter(edits__isnull=False).exists()
