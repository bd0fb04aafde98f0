"""The history and the attempts in the admin."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from logs import history
from logs.admin.words import changes_in
from logs.chain.digest import COLUMNS, digest_of
from logs.chain.seal import seal_all
from logs.models import Attempt, History, Seal
from orgs.clock import database_now
from orgs.models import User
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
    assert "<del>&lt;i&gt;old&lt;/i&gt;</del>" in page and "<ins>new</ins>" in page
    assert "Name, Active" in page
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
    assert list(client.get("/admin/logs/attempt/?days=all").context["cl"].queryset) == [own]
    page = client.get(f"/admin/logs/attempt/{own.pk}/change/").content.decode()
    assert "&lt;b&gt;bold" in page and "<b>bold" not in page
    assert client.get(f"/admin/logs/attempt/{foreign.pk}/change/").status_code == 302


def test_values_are_told_in_words(client: Client, world: World) -> None:
    changes = {
        "kind": ["branch", "agency"], "is_active": [True, False], "zone": ["", "Asia/Taipei"],
        "seen": ["2026-01-12T00:00:01+00:00", None], "note": "<b>looked</b>",
    }  # fmt: skip
    note(world, "xinyi", changes=changes)
    client.force_login(world.people["xinyi"])
    page = client.get(LIST).content.decode()
    for before, after in (
        ("branch", "agency"), ("yes", "no"), ("–", "Asia/Taipei"),
        ("2026-01-12 (Mon) 08:00:01.000 Asia/Taipei", "–"),
    ):  # fmt: skip
        assert f"<del>{before}</del>" in page and f"<ins>{after}</ins>" in page
    assert "&lt;b&gt;looked" in page


@pytest.mark.parametrize(
    ("verb", "changes", "told"),
    [
        ("backed_up", {"file": "t.age", "bytes": 7, "rows": 8},
         ["file: t.age", "size in bytes: 7", "rows: 8"]),
        ("rolled_back", {"taken_back": 2, "stays": {"line": 3}},
         ["taken back: 2", "stays sent: line 3"]),
        ("frozen", {"freeze": 4}, ["number of the freeze: 4"]),
        ("lifted", {"due": "skipped"}, ["what was due: skipped"]),
        ("imported", {"created": 5, "updated": 6}, ["added: 5", "changed: 6"]),
    ],
)  # fmt: skip
def test_what_entries_tell_beside_fields_has_words(
    world: World, verb: str, changes: dict[str, Any], told: list[str]
) -> None:
    note(world, "xinyi", verb=verb, changes=changes)
    entry = History.objects.latest("id")
    # PostgreSQL keeps the keys of such an entry in an order of its own.
    assert sorted(f"{one.name}: {one.after}" for one in changes_in(entry, "UTC")) == sorted(told)


def test_what_was_created_is_told_as_facts(client: Client, world: World) -> None:
    note(world, "xinyi", verb="created", changes={"name": [None, "Lobby"], "code": "7"})
    client.force_login(world.people["hq"])
    page = client.get(LIST).content.decode()
    assert "<b>name</b> Lobby" in page and "<b>code</b> 7" in page


def test_the_history_of_one_object_names_it(client: Client, world: World) -> None:
    note(world, "xinyi")
    client.force_login(world.people["hq"])
    page = client.get(f"{LIST}?kind=unit&object_id={world.xinyi.pk}").content.decode()
    assert "<strong>Xinyi</strong>" in page


def test_the_day_in_a_runs_name_is_in_the_readers_language(client: Client, world: World) -> None:
    note(world, "xinyi", "Hello · 2026-11-28 (Sat) 09:00:00 Asia/Taipei")
    User.objects.filter(pk=world.people["hq"].pk).update(language="ko")
    client.force_login(world.people["hq"])
    row = History.objects.get(object_name__startswith="Hello")
    for address in ("", f"?kind={row.kind}&object_id={row.object_id}", f"{row.pk}/change/"):
        page = client.get(f"{LIST}{address}").content.decode()
        assert "Hello · 2026-11-28 (토) 09:00:00 Asia/Taipei" in page
        assert "(Sat)" not in page


def test_the_history_filters_by_time_and_surface(client: Client, world: World) -> None:
    note(world, "xinyi")
    note(world, "tainan", now=database_now())
    client.force_login(world.people["hq"])
    rows = client.get(LIST, {"days": "7"}).context["cl"].queryset
    assert [entry.object_name for entry in rows] == ["Tainan"]
    assert not client.get(LIST, {"via": "api"}).context["cl"].queryset


def lines_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def test_what_is_found_can_be_taken_along_as_csv(client: Client, world: World) -> None:
    note(world, "xinyi", "=1+1", changes={"name": ["+2", "@x"]})
    note(world, "xinyi", "other", verb="deleted")
    note(world, "tainan")
    seal_all()
    client.force_login(world.people["xinyi"])
    answer = client.get(f"{LIST}export.csv", {"verb": "updated"})
    assert answer["Content-Disposition"] == 'attachment; filename="history.csv"'
    rows = list(csv.reader(StringIO(lines_of(answer).removeprefix("\ufeff"))))
    seal = Seal.objects.get(number=1)
    assert rows[1:] == [[
        "2026-01-12 08:00:01.000+08:00", "hq", "machine", "", "updated", "Unit",
        str(world.xinyi.pk), "'=1+1", "name: +2 → @x", "", str(seal.entry_id), "1", seal.digest,
    ]]  # fmt: skip


def test_from_the_json_every_digest_can_be_computed_anew(client: Client, world: World) -> None:
    for number in range(3):
        note(world, "xinyi", changes={"name": ["a", f"정시 {number}"]})
    seal_all()
    client.force_login(world.people["hq"])
    entries = json.loads(lines_of(client.get(f"{LIST}export.json")))
    previous = ""
    for entry in reversed(entries):
        values = [entry[name] for name in COLUMNS]
        previous = digest_of(previous, (values[0], datetime.fromisoformat(values[1]), *values[2:]))
        assert entry["digest"] == previous
    assert [entry["seal"] for entry in entries] == [3, 2, 1]


def test_an_empty_export_is_a_whole_file(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    assert json.loads(lines_of(client.get(f"{LIST}export.json"))) == []
    assert lines_of(client.get(f"{LIST}export.csv")).count("\n") == 1


def test_an_export_is_for_who_may_read_the_history(client: Client, world: World) -> None:
    client.force_login(world.people["stranger"])
    assert client.get(f"{LIST}export.csv").status_code == 403
    client.force_login(world.people["hq"])
    assert client.post(f"{LIST}export.csv").status_code == 405
    assert client.get(f"{LIST}export.csv", {"nonsense": "1"}).status_code == 400


def test_a_page_of_the_admin_records_what_it_changed(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    room = world.room
    page = f"/admin/channels/room/{room.pk}/change/"
    form = client.get(page).context["adminform"].form
    values = {name: "" if value is None else value for name, value in form.initial.items()}
    assert client.post(page, values | {"name": "Lobby", "unit": world.tainan.pk}).status_code == 302
    changes = History.objects.get(verb="updated", kind="room").changes
    assert changes["name"] == ["Xinyi room", "Lobby"] and changes["unit"] == ["Xinyi", "Tainan"]
    assert set(changes) == {"name", "unit"}


def test_of_a_person_role_and_name_are_recorded_but_no_password(
    client: Client, world: World
) -> None:
    client.force_login(world.people["hq"])
    member = world.people["xinyi"].member
    values = {"username": "xinyi", "first_name": "Mina", "email": "", "unit": world.xinyi.pk,
              "role": 10, "is_active": "on", "password": "a fine long phrase 7"}  # fmt: skip
    client.post(f"/admin/orgs/member/{member.pk}/change/", values)
    changes = History.objects.get(verb="updated").changes
    assert changes == {"first_name": ["", "Mina"], "role": [40, 10], "fields": ["Password"]}


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


def test_attempts_of_a_week_are_shown_unless_more_is_asked_for(
    client: Client, world: World
) -> None:
    new, old = attempt(world, "xinyi"), attempt(world, "xinyi")
    Attempt.objects.filter(pk=old.pk).update(answered_at=database_now() - timedelta(days=8))
    Attempt.objects.filter(pk=new.pk).update(answered_at=database_now())
    client.force_login(world.people["taipei"])
    both = ["?days=30", "?days=all", "?q=room", f"?run_id={old.run_id}"]
    for asked, shown in {"": [new], **{key: [new, old] for key in both}}.items():
        found = client.get(f"/admin/logs/attempt/{asked}").context["cl"].queryset
        assert list(found) == shown, asked
