"""The history and the attempts in the admin."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from logs import history
from logs.models import Attempt, History
from tests.conftest import World
from tests.pages import queries_of

LIST = "/admin/logs/history/"
AT = datetime(2026, 1, 12, 0, 0, 1, tzinfo=UTC)


def note(world: World, unit: str, name: str = "", **values: Any) -> None:
    row = getattr(world, unit)
    row.name = name or row.name
    facts = {"by": world.people["hq"], "now": AT, "unit_path": row.path} | values
    history.record(facts.pop("verb", "updated"), row, **facts)


def attempt(world: World, unit: str) -> Attempt:
    return Attempt.objects.create(
        delivery_id=1, run_id=1, schedule_id=1, schedule_title=f"of {unit}", room_id=1,
        room_name="room", unit_path=getattr(world, unit).path, channel="sandbox", account_id=1,
        part=0, number=1, key=uuid4(), due_at=AT, wire_at=AT, answered_at=AT, outcome="accepted",
        answer={"note": "<b>bold</b>"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("person", "seen"),
    [("hq", {"Xinyi", "Tainan"}), ("taipei", {"Xinyi"}), ("tainan", {"Tainan"}),
     ("stranger", set())],
)  # fmt: skip
def test_people_read_what_happened_within_their_reach(
    client: Client, world: World, person: str, seen: set[str]
) -> None:
    note(world, "xinyi")
    note(world, "tainan")
    client.force_login(world.people[person])
    answer = client.get(LIST)
    rows = answer.context["cl"].queryset if answer.status_code == 200 else []
    assert {entry.object_name for entry in rows} == seen


def test_times_are_those_of_the_reader_with_their_zone(client: Client, world: World) -> None:
    note(world, "xinyi")
    client.force_login(world.people["xinyi"])
    page = client.get(LIST).content.decode()
    assert "<b>08:00:01</b> <small>Asia/Taipei</small>" in page


def test_changes_are_readable_and_escaped(client: Client, world: World) -> None:
    note(world, "xinyi", changes={"title": ["<i>old</i>", "new"], "fields": ["Name", "Active"]})
    client.force_login(world.people["hq"])
    page = client.get(LIST).content.decode()
    assert "&lt;i&gt;old&lt;/i&gt; → new" in page and "Name, Active" in page
    assert "<i>old" not in page


def test_the_history_narrows_to_one_object(client: Client, world: World) -> None:
    note(world, "xinyi")
    note(world, "tainan")
    client.force_login(world.people["hq"])
    answer = client.get(f"/admin/orgs/unit/{world.xinyi.pk}/history/", follow=True)
    assert [entry.object_name for entry in answer.context["cl"].queryset] == ["Xinyi"]


def test_the_history_filters_by_what_was_done(client: Client, world: World) -> None:
    note(world, "xinyi", verb="created")
    note(world, "tainan", verb="deleted")
    client.force_login(world.people["hq"])
    rows = client.get(LIST, {"verb": "deleted", "kind": "unit"}).context["cl"].queryset
    assert [entry.object_name for entry in rows] == ["Tainan"]
    rows = client.get(LIST, {"q": "xin"}).context["cl"].queryset
    assert [entry.object_name for entry in rows] == ["Xinyi"]


def test_nobody_changes_the_history(client: Client, world: World) -> None:
    note(world, "xinyi")
    entry = History.objects.get()
    client.force_login(world.people["hq"])
    assert client.get(f"{LIST}{entry.pk}/change/").status_code == 200
    assert client.post(f"{LIST}{entry.pk}/change/", {"actor": "nobody"}).status_code == 403
    assert client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403


def test_attempts_are_read_within_reach(client: Client, world: World) -> None:
    own, foreign = attempt(world, "xinyi"), attempt(world, "tainan")
    client.force_login(world.people["taipei"])
    assert list(client.get("/admin/logs/attempt/").context["cl"].queryset) == [own]
    page = client.get(f"/admin/logs/attempt/{own.pk}/change/").content.decode()
    assert "&lt;b&gt;bold" in page and "<b>bold" not in page
    assert client.get(f"/admin/logs/attempt/{foreign.pk}/change/").status_code == 302


@pytest.mark.parametrize("kind", ["history", "attempt"])
def test_the_lists_ask_the_same_number_of_questions_for_one_row_and_for_thirty(
    client: Client, world: World, kind: str
) -> None:
    def add() -> None:
        note(world, "xinyi")
        attempt(world, "xinyi")

    client.force_login(world.people["xinyi"])
    add()
    one = queries_of(client, f"/admin/logs/{kind}/")
    for _number in range(29):
        add()
    assert queries_of(client, f"/admin/logs/{kind}/") == one
