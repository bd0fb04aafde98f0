"""Single occurrences by the API: changed once, taken back, refused in words."""

from datetime import datetime, timedelta

import pytest

from schedules.models import OccurrenceChange
from tests.schedules.api.calling import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def daily(api, body):
    """The address of a daily schedule, and its next two times."""
    made = api.post("/schedules", body(timing_kind="daily", date=None)).json()
    path = f"/schedules/{made['id']}/occurrences"
    times = [one["due_at"] for one in api.get(f"{path}?count=2").json()["results"]]
    return path, *times


def later(at: str, **span: int) -> str:
    return (datetime.fromisoformat(at) + timedelta(**span)).isoformat().replace("+00:00", "Z")


def test_one_is_moved_and_keeps_its_address(api, daily):
    path, first, second = daily
    answer = api.post(f"{path}/{first}", {"due_at": later(first, hours=1), "text": "Later"})
    assert answer.status_code == 201, answer.content
    found = api.get(f"{path}/{first}").json()
    assert found["due_at"] == later(first, hours=1)
    assert (found["appointed_at"], found["text"]) == (first, "Later")
    assert api.get(f"{path}/{second}").json()["due_at"] == second


def test_one_is_left_out_and_taken_back(api, daily):
    path, first, _second = daily
    assert api.post(f"{path}/{first}", {"skips": True}).status_code == 201
    assert api.get(f"{path}/{first}").json()["skipped"] == "left_out"
    assert api("delete", f"{path}/{first}").status_code == 204
    assert api.get(f"{path}/{first}").json()["skipped"] == ""
    assert api("delete", f"{path}/{first}").status_code == 404


def test_the_same_key_answers_alike_and_changes_once(api, daily):
    path, first, _second = daily
    headers = {"Idempotency-Key": "once"}
    answers = [api.post(f"{path}/{first}", {"text": "Other"}, **headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    other = api.post(f"{path}/{first}", {"skips": True}, **headers)
    assert other.status_code == 422
    assert OccurrenceChange.objects.get().text == "Other"


def test_what_does_not_go_is_told_by_its_field(api, daily):
    path, first, second = daily
    answer = api.post(f"{path}/{first}", {"due_at": second})
    assert answer.status_code == 400 and "due_at" in answer.json()["errors"]
    assert api.post(f"{path}/{first}", {}).status_code == 409
    misspelt = api.post(f"{path}/{first}", {"text": "Other", "due": second})
    assert misspelt.status_code == 400 and set(misspelt.json()["errors"]) == {"due"}
    assert not OccurrenceChange.objects.exists()
    assert api.post(f"{path}/{later(first, minutes=1)}", {"skips": True}).status_code == 404
    assert api.post(f"{path}/never", {"skips": True}).status_code == 404


def test_whoever_only_looks_on_and_whoever_stands_beside_change_nothing(world, api, daily):
    path, first, _second = daily
    assert (
        caller(world.people["tainan"]).post(f"{path}/{first}", {"skips": True}).status_code == 404
    )
    reader = caller(world.people["xinyi"], "read")
    assert reader.post(f"{path}/{first}", {"skips": True}).status_code == 403
    assert not OccurrenceChange.objects.exists()
