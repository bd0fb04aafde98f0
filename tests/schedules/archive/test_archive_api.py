"""The archive over HTTP: searched, and read with every answer."""

import pytest

from schedules.models import Run
from tests.schedules.api.calling import caller, ids
from tests.schedules.archive.conftest import move_july

pytestmark = pytest.mark.django_db


@pytest.fixture
def archived(world, old):
    """One run of xinyi, one of tainan."""
    mine, other = old(), old(world.tainan, room_name="Tainan lobby", room=world.tainan_room)
    Run.objects.filter(pk=mine.run_id).update(content={"text": "Good morning, July", "images": [],
                                                       "order": "text_first"})  # fmt: skip
    move_july()
    return mine.run_id, other.run_id


@pytest.mark.parametrize(
    ("asked", "count"),
    [("search=lobby", 1), ("search=nowhere", 0), ("month=2024-07", 2), ("month=2024-06", 0),
     ("state=sent", 2), ("state=failed", 0), ("due_after=2024-07-09T00:00:00Z", 2),
     ("due_before=2024-07-09T00:00:00Z", 0)],
)  # fmt: skip
def test_it_is_narrowed_and_searched(world, archived, asked, count):
    answer = caller(world.people["hq"]).get(f"/archive?{asked}")
    assert len(ids(answer)) == count


def test_it_is_narrowed_by_unit_and_schedule(world, archived):
    api = caller(world.people["hq"])
    assert ids(api.get(f"/archive?unit={world.xinyi.pk}")) == [archived[0]]
    schedule = api.get(f"/archive/{archived[1]}").json()["schedule"]
    assert ids(api.get(f"/archive?schedule={schedule}")) == [archived[1]]
    assert api.get("/archive?month=July").status_code == 400


def test_a_run_is_read_with_what_its_channel_answered(world, archived):
    api = caller(world.people["xinyi"])
    shown = api.get(f"/archive/{archived[0]}").json()
    assert (shown["month"], shown["state"], shown["total"]) == ("2024-07", "sent", 1)
    assert api.get(f"/runs/{archived[0]}").status_code == 404
    log = api.get(f"/archive/{archived[0]}/logs").json()
    assert log["next_from"] is None
    (entry,) = log["results"]
    assert (entry["run"], entry["content"]["text"]) == (archived[0], "Good morning, July")
    assert [one["outcome"] for one in entry["attempts"]] == ["unknown", "accepted"]
    assert api.get(f"/archive/{archived[0]}/logs?from=1").json()["results"] == []
    assert api.get(f"/archive/{archived[0]}/logs?from=x").status_code == 400


def test_a_file_that_is_gone_is_said(world, archived, root):
    for file in root.iterdir():
        file.unlink()
    answer = caller(world.people["xinyi"]).get(f"/archive/{archived[0]}/logs")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


def test_a_neighbour_finds_nothing(world, archived):
    api = caller(world.people["tainan"])
    assert ids(api.get("/archive")) == [archived[1]]
    for tail in ("", "/logs"):
        foreign, missing = (api.get(f"/archive/{pk}{tail}") for pk in (archived[0], 999_999))
        assert (foreign.status_code, foreign.content) == (404, missing.content)
