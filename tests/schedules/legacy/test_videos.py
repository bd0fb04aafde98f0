"""At the time that the streaming platform had for a video a room is told, once and never late."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from channels.models import SandboxMessage
from logs.models import History
from orgs.clock import database_now
from schedules.models import LegacyRow, Run, Schedule
from tests.conftest import World
from tests.schedules.legacy import stage
from tests.schedules.legacy.conftest import OldDatabase

pytestmark = pytest.mark.django_db

Taken = Callable[..., tuple[dict[str, Any], int]]
PAST = "2025-01-01 20:00:00"


@pytest.fixture
def taken(world: World, dumped: Callable[..., Path], import_legacy: Any) -> Taken:
    """Imports these rows of the table for Taipei, whose branch Xinyi has the room."""

    def run(*rows: stage.Row, room: int | None = world.room.pk, **options: Any) -> Any:
        path = dumped(video=list(rows))
        return import_legacy(path, "--unit", "taipei", room=room, **options)

    return run


def test_a_video_that_is_to_come_becomes_a_schedule_that_tells_the_room_at_its_time(
    world: World, taken: Taken
) -> None:
    report, status = taken(stage.video(7))
    assert (status, report["tables"]) == (0, {"video": {"taken": 1}})
    schedule = Schedule.objects.get()
    assert (schedule.unit, schedule.state, schedule.timing_kind) == (world.taipei, "active", "once")
    assert (schedule.title, schedule.text) == ("新年特輯 7", "新年特輯 7")
    assert (schedule.date, schedule.time) == (date(2099, 1, 1), time(20))
    assert schedule.zone == "Asia/Taipei", "that of its unit"
    assert schedule.next_due_at == datetime(2099, 1, 1, 12, tzinfo=UTC)
    assert schedule.rooms.get() == world.room
    assert History.objects.get(verb="imported").changes["from"] == "legacy: video 7"


def test_the_text_may_name_the_video_and_the_zone_be_another(taken: Taken) -> None:
    taken(stage.video(7), text="publish {id}: {title}", zone="Asia/Seoul")
    schedule = Schedule.objects.get()
    assert schedule.text == "publish 7: 新年特輯 7"
    assert schedule.next_due_at == datetime(2099, 1, 1, 11, tzinfo=UTC)


def test_what_was_told_reaches_the_room_at_the_second_and_once(
    world: World, taken: Taken, dispatch: Callable[[], int]
) -> None:
    soon = database_now().astimezone(ZoneInfo("Asia/Taipei")).replace(microsecond=0)
    soon = datetime.fromtimestamp(soon.timestamp() + 2, soon.tzinfo)
    row = stage.video(7, scheduled_publish_at=f"{soon:%F %T}")
    taken(row, text="{id}")
    taken(row, text="{id}")
    assert dispatch() == 1
    assert [message.body["text"] for message in SandboxMessage.objects.all()] == ["7"]
    assert Run.objects.get().due_at == soon


@pytest.mark.parametrize(
    ("values", "options", "state", "why"),
    [
        ({"status": "PUBLISHED", "scheduled_publish_at": PAST}, {}, "completed", ""),
        ({"status": "PUBLISHED"}, {}, "completed", ""),
        ({"scheduled_publish_at": PAST}, {}, "completed", "its time has passed"),
        ({}, {"paused": True}, "paused", ""),
        ({}, {"room": None}, "draft", "name the room that is told with --room"),
        ({"title": ""}, {}, "draft", "to be looked at: title"),
        ({}, {"text": "{nobody}"}, "draft", "to be looked at: text"),
        ({"title": "{id}"}, {}, "draft", "to be looked at: text"),
    ],
)  # fmt: skip
def test_each_video_comes_in_the_state_that_it_can_have(
    taken: Taken, values: dict[str, Any], options: dict[str, Any], state: str, why: str
) -> None:
    report, status = taken(stage.video(1, **values), **options)
    assert (status, Schedule.objects.get().state) == (0, state)
    notes = [note["why"] for note in report["notes"]]
    assert [why in note for note in notes] == [True] * bool(why)
    assert not Run.objects.exists()


def test_a_video_without_a_time_is_none_that_was_left_out(taken: Taken) -> None:
    report, status = taken(stage.video(1), stage.video(2, scheduled_publish_at=None))
    assert (status, report["tables"]["video"]) == (0, {"taken": 1, "without a time": 1})
    assert LegacyRow.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "column", "why"),
    [
        ({"scheduled_publish_at": "soon"}, "scheduled_publish_at", "not a date and time"),
        ({"status": ""}, "status", "it is empty"),
        ({"title": "長" * 256}, "title", "at most 255"),
    ],
)
def test_what_cannot_be_taken_is_reported_with_its_row_and_column(
    taken: Taken, values: dict[str, Any], column: str, why: str
) -> None:
    report, status = taken(stage.video(1, **values), stage.video(2))
    assert (status, report["tables"]["video"]) == (1, {"taken": 1, "not taken": 1})
    (found,) = report["not_taken"]
    assert (found["row"], found["column"], why in found["why"]) == ("1", column, True)


def test_a_table_without_the_column_is_named(
    world: World, import_legacy: Any, tmp_path: Path
) -> None:
    (tmp_path / "video.csv").write_text("id,title,status\n1,x,DRAFT\n")
    report, status = import_legacy(tmp_path / "video.csv", "--unit", "taipei")
    assert (status, report["not_taken"][0]["column"]) == (1, "scheduled_publish_at")


def test_the_database_and_files_give_the_same_and_a_second_time_nothing(
    world: World, mariadb: OldDatabase, import_legacy: Any, tmp_path: Path
) -> None:
    rows = [stage.video(1), stage.video(2, status="PUBLISHED"), stage.video(3, title="x" * 300)]
    words = ("--unit", "taipei", "--room", world.room.pk)
    url = mariadb.fill({"video": rows})
    first, _status = import_legacy(url, *words)
    assert first["tables"] == {"video": {"taken": 2, "not taken": 1}}
    before = list(Schedule.objects.order_by("pk").values())
    for source in ([url], stage.write_csv(tmp_path, video=rows)):
        again, _status = import_legacy(*source, *words)
        assert again["tables"] == {"video": {"taken": 0, "known": 2, "not taken": 1}}
        assert list(Schedule.objects.order_by("pk").values()) == before


def test_a_video_that_was_put_off_there_is_said_and_stays_as_it_was_here(taken: Taken) -> None:
    taken(stage.video(1))
    report, _status = taken(stage.video(1, scheduled_publish_at="2099-02-01 20:00:00"))
    assert report["tables"]["video"] == {"taken": 0, "changed": 1}
    assert Schedule.objects.get().date == date(2099, 1, 1)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "--unit"),
        (["--unit", "taipei", "--room", "0"], "There is no room 0."),
        (["--unit", "south", "--room", "{room}"], "is out of reach of South"),
    ],
)
def test_what_is_not_there_or_not_the_units_is_named(
    world: World, dumped: Any, words: list[str], why: str
) -> None:
    path = dumped(video=[stage.video(1)])
    given = [word.format(room=world.room.pk) for word in words]
    with pytest.raises(CommandError, match=why) as caught:
        call_command("import_legacy", str(path), *given)
    assert caught.value.returncode == 2
    assert not Schedule.objects.exists()
