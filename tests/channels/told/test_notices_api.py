"""One's own notices, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from channels.models import OwnNotice
from orgs.clock import database_now
from orgs.reach import Role
from tests.schedules.api.calling import caller, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def note(world: Any) -> Any:
    def make(who: Any, number: int, *, unit: Any = None, kind: str = "run.sent") -> OwnNotice:
        now = database_now()
        path = (unit or world.xinyi).path
        return OwnNotice.objects.create(
            user=who, run_id=number, kind=kind, title=f"Run {number}", unit_path=path,
            due_at=now, at=now + timedelta(seconds=number),
        )  # fmt: skip

    return make


def test_one_sees_one_s_own_the_newest_first_and_marks_them(world: Any, note: Any) -> None:
    who = world.people["xinyi"]
    rows = [note(who, 1), note(who, 2, kind="run.failed"), note(who, 3)]
    note(world.people["taipei"], 4)
    api = caller(who)
    assert ids(api.get("/notices")) == [row.pk for row in reversed(rows)]
    assert ids(api.get("/notices?event=run.failed")) == [rows[1].pk]
    read = api.post(f"/notices/{rows[1].pk}/read").json()
    assert (read["event"], read["run"]) == ("run.failed", 2)
    assert read["read_at"] is not None
    assert ids(api.get("/notices?is_read=true")) == [rows[1].pk]
    assert api.post("/notices/read", {"until": rows[1].pk}).json() == {"marked": 1}
    assert ids(api.get("/notices?is_read=false")) == [rows[2].pk]
    assert api.post("/notices/read", {}).status_code == 400


def test_read_twice_it_keeps_its_time(world: Any, note: Any) -> None:
    row, api = note(world.people["xinyi"], 1), caller(world.people["xinyi"])
    first, second = (api.post(f"/notices/{row.pk}/read").json() for _ in range(2))
    assert first == second


def test_those_of_others_and_of_runs_out_of_reach_are_not_there(world: Any, note: Any) -> None:
    who = world.people["xinyi"]
    others, beyond = note(world.people["taipei"], 1), note(who, 2, unit=world.tainan)
    api = caller(who)
    assert ids(api.get("/notices")) == []
    for pk in (others.pk, beyond.pk, 999_999):
        assert api.get(f"/notices/{pk}").status_code == 404
        assert api.post(f"/notices/{pk}/read").status_code == 404
    assert OwnNotice.objects.exclude(read_at=None).count() == 0


def test_a_viewer_marks_their_own_and_a_token_that_only_reads_does_not(
    world: Any, note: Any
) -> None:
    viewer = world.person(world.xinyi, Role.VIEWER)
    row = note(viewer, 1)
    assert caller(viewer, "read").post(f"/notices/{row.pk}/read").status_code == 403
    assert caller(viewer).post(f"/notices/{row.pk}/read").status_code == 200
