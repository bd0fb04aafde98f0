"""What older systems registered and sent is taken over once, and nothing of it is sent late."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from PIL import Image as Pillow

from channels.models import Image, Room
from logs.models import Attempt, History
from orgs.models import User
from schedules import actions
from schedules.models import Delivery, LegacyRow, Run, Schedule
from tests.schedules.legacy import stage
from tests.schedules.legacy.conftest import OldDatabase

pytestmark = pytest.mark.django_db

Importer = Callable[..., tuple[dict[str, Any], int]]
SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
def taken(
    world: Any, dumped: Callable[..., Path], import_legacy: Importer
) -> Callable[..., dict[str, Any]]:
    """Imports these rows of kb_schedule from a dump."""

    def run(*rows: stage.Row, **options: Any) -> dict[str, Any]:
        path = dumped(kb_schedule=list(rows))
        return import_legacy(path, "--account", "Sandbox", **options)[0]

    return run


def state_of(number: int) -> str:
    row = LegacyRow.objects.get(table="kb_schedule", legacy_id=str(number))
    return str(Schedule.objects.get(pk=row.object_id).state)


def everything() -> dict[str, int]:
    models = (Schedule, Run, Delivery, Attempt, History, LegacyRow, Room, Image)
    return {model.__name__: model.objects.count() for model in models}


def test_a_daily_row_becomes_a_schedule_of_its_branch_that_goes_from_now_on(
    world: Any, taken: Any, now: datetime
) -> None:
    report = taken(stage.schedule(7))
    assert report["tables"]["kb_schedule"] == {"taken": 1}
    schedule = Schedule.objects.get()
    assert (schedule.unit, schedule.registered_by) == (world.xinyi, world.people["xinyi"])
    assert (schedule.title, schedule.text) == ("7월 프로모션", "오늘의 특가 7 ☕")
    assert (schedule.timing_kind, schedule.time, schedule.zone) == ("daily", time(9), "Asia/Seoul")
    assert schedule.interval_seconds == 1
    assert schedule.valid_from == datetime(2025, 7, 1, tzinfo=SEOUL)
    assert schedule.valid_until == datetime(2099, 12, 31, 23, 59, 59, tzinfo=SEOUL)
    assert schedule.created_at == datetime(2025, 7, 1, 10, 30, tzinfo=SEOUL)
    assert schedule.state == "active"
    assert now < schedule.next_due_at <= now + timedelta(days=1)
    assert schedule.next_due_at.astimezone(SEOUL).time() == time(9)
    room = schedule.rooms.get()
    assert (room.address, room.unit, room.kind) == ("old room", world.xinyi, "live")
    entry = History.objects.get(verb="imported")
    assert (entry.via, entry.changes["from"]) == ("command", "legacy: kb_schedule 7")


def test_the_set_of_weekdays_is_kept(taken: Any) -> None:
    taken(stage.schedule(1, schedule_type="weekly", schedule_weekdays="monday,wednesday,sunday"))
    assert Schedule.objects.get().weekdays == [0, 2, 6]


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"status": "active"}, "active"),
        ({"status": "inactive"}, "paused"),
        ({"status": "completed"}, "completed"),
        ({"status": "error"}, "error"),
        ({"schedule_type": "once", "schedule_date": "2099-01-02"}, "active"),
        ({"schedule_type": "once", "schedule_date": "2025-07-14"}, "completed"),
        ({"valid_until": "2025-12-31 00:00:00"}, "completed"),
        ({"valid_until": "0000-00-00 00:00:00"}, "active"),
        ({"message_text": ""}, "draft"),
        ({"send_order": "images_only"}, "draft"),
        ({"message_text": "가" * 20_000}, "draft"),
    ],
)
def test_each_row_comes_in_the_state_that_it_can_have(
    taken: Any, values: dict[str, Any], state: str
) -> None:
    taken(stage.schedule(1, **values))
    assert state_of(1) == state
    assert (Schedule.objects.get().next_due_at is not None) == (state == "active")
    assert not Run.objects.exists()


def test_a_time_that_passed_unsent_is_said_and_never_made_up_for(
    taken: Any, dispatch: Callable[[], int]
) -> None:
    local = datetime.now(SEOUL) - timedelta(minutes=2)
    report = taken(
        stage.schedule(
            1, schedule_type="once", schedule_date=f"{local:%F}", schedule_time=f"{local:%T}"
        )
    )
    assert "its time has passed" in report["notes"][0]["why"]
    assert dispatch() == 0
    assert not Run.objects.exists()


def test_an_active_row_can_come_paused_while_the_older_system_still_sends(taken: Any) -> None:
    taken(stage.schedule(1), paused=True)
    assert state_of(1) == "paused"
    actions.resume(Schedule.objects.get(), by=User.objects.get(username="xinyi"))
    assert state_of(1) == "active"


def test_two_rows_that_send_the_same_to_the_same_room_at_once_do_not_both_go(taken: Any) -> None:
    report = taken(
        stage.schedule(1, message_text="같은 글"), stage.schedule(2, message_text="같은 글")
    )
    assert (state_of(1), state_of(2)) == ("active", "draft")
    assert "already sends the same" in report["notes"][0]["why"]


@pytest.mark.parametrize(
    ("values", "column", "why"),
    [
        ({"created_by_id": "closed"}, "created_by_id", "no branch with the code “closed”"),
        ({"schedule_time": "25:00:00"}, "schedule_time", "not a time of day"),
        ({"schedule_type": "once"}, "schedule_date", "for once"),
        ({"schedule_type": "weekly"}, "schedule_weekdays", "weekly"),
        ({"schedule_weekdays": "funday"}, "schedule_weekdays", "funday"),
        ({"valid_until": "2025-06-01 00:00:00"}, "valid_until", "before it begins"),
        ({"valid_from": "soon"}, "valid_from", "not a date"),
        ({"message_images": "{"}, "message_images", "not JSON"),
        ({"message_images": stage.images("../secret.png")}, "message_images", "name of a file"),
        ({"target_room_id": "tainan room"}, "target_room_id", "another unit"),
        ({"send_interval_seconds": "x"}, "send_interval_seconds", "not a whole number"),
        ({"status": "gone"}, "status", "none of active"),
    ],
)
def test_what_cannot_be_taken_is_reported_with_its_row_and_column(
    taken: Any, values: dict[str, Any], column: str, why: str
) -> None:
    report = taken(stage.schedule(1, **values), stage.schedule(2))
    (found,) = report["not_taken"]
    assert (found["table"], found["row"], found["column"]) == ("kb_schedule", "1", column)
    assert why in found["why"]
    assert found["place"].startswith("line ")
    assert report["tables"]["kb_schedule"] == {"taken": 1, "not taken": 1}
    assert Schedule.objects.count() == 1


def test_a_room_that_a_branch_and_its_agency_share_is_added_to_the_branch(
    world: Any, taken: Any
) -> None:
    taken(
        stage.schedule(1, created_by_type="agency", created_by_id="taipei"),
        stage.schedule(2),
        stage.schedule(3, created_by_type="headquarters", created_by_id=""),
    )
    assert Room.objects.get(address="old room").unit == world.xinyi
    assert [state_of(number) for number in (1, 2, 3)] == ["active"] * 3


def test_images_are_taken_from_the_folder_in_their_order(
    taken: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT, settings.TEIJI_PUBLIC_URL = tmp_path / "media", "https://teiji.example"
    folder = tmp_path / "images"
    folder.mkdir()
    for number, name in enumerate(("b.jpg", "a.jpg")):
        picture(number).save(folder / name)
    report = taken(stage.schedule(1, message_images=stage.images("b.jpg", "a.jpg")), images=folder)
    placed = Schedule.objects.get().schedule_images.all()
    assert [row.image.name for row in placed] == ["사진 b.jpg", "사진 a.jpg"]
    assert (report["images_stored"], state_of(1)) == (2, "active")
    assert all(row.image.file.size for row in placed)


def test_without_one_of_its_images_a_schedule_waits_as_a_draft(taken: Any, tmp_path: Path) -> None:
    report = taken(stage.schedule(1, message_images=stage.images("lost.jpg")), images=tmp_path)
    assert state_of(1) == "draft"
    assert report["notes"][0] == {
        "table": "kb_schedule", "row": "1", "column": "message_images",
        "why": "“lost.jpg” is not in the folder", "place": report["notes"][0]["place"],
    }  # fmt: skip


def picture(number: int) -> Pillow.Image:
    return Pillow.new("RGB", (40, 30), (number * 90, 20, 20))


ROWS: dict[str, list[stage.Row]] = {
    "kb_schedule": [
        stage.schedule(1, schedule_type="weekly", schedule_weekdays="monday,friday"),
        stage.schedule(2, status="inactive", message_text='It\'s \\ "quoted"\nand two lines'),
        stage.schedule(3, schedule_type="once", schedule_date="2025-07-14", status="completed"),
        stage.schedule(4, created_by_id="closed"),
    ],
    "kb_schedule_logs": [
        stage.log(1, 3),
        stage.log(2, 1, status="failed", error_message="방이 없습니다", api_response="oops"),
        stage.log(3, 1, status="partial", sent_images=stage.images("a.jpg")),
        stage.log(4, 4),
    ],
}


def test_a_second_import_of_the_same_database_changes_nothing(
    world: Any, mariadb: OldDatabase, import_legacy: Importer
) -> None:
    url = mariadb.fill(ROWS)
    first, status = import_legacy(url, "--account", "Sandbox")
    assert status == 1
    assert first["tables"] == {
        "kb_schedule": {"taken": 3, "not taken": 1},
        "kb_schedule_logs": {"known": 0, "taken": 3, "not taken": 1},
    }
    before, rows = everything(), list(Schedule.objects.order_by("pk").values())
    second, _status = import_legacy(url, "--account", "Sandbox")
    assert second["tables"] == {
        "kb_schedule": {"taken": 0, "known": 3, "not taken": 1},
        "kb_schedule_logs": {"known": 3, "taken": 0, "not taken": 1},
    }
    assert second["not_taken"] == first["not_taken"]
    assert (everything(), list(Schedule.objects.order_by("pk").values())) == (before, rows)


def test_a_dump_and_csv_files_are_read_as_the_database_is(
    world: Any, mariadb: OldDatabase, import_legacy: Importer, tmp_path: Path
) -> None:
    """What was taken from one is known from the others: each says the same of every row."""
    import_legacy(mariadb.fill(ROWS), "--account", "Sandbox")
    before = everything()
    (tmp_path / "dump.sql").write_text(stage.dump(**ROWS))
    files = stage.write_csv(tmp_path, **ROWS)
    for source in ([tmp_path / "dump.sql"], files):
        report, _status = import_legacy(*source, "--account", "Sandbox")
        assert report["tables"]["kb_schedule"] == {"taken": 0, "known": 3, "not taken": 1}
        assert report["tables"]["kb_schedule_logs"]["known"] == 3
        assert everything() == before


def test_a_row_that_was_changed_there_is_said_and_stays_as_it_was_here(taken: Any) -> None:
    taken(stage.schedule(1))
    report = taken(stage.schedule(1, message_text="새 글"))
    assert report["tables"]["kb_schedule"] == {"taken": 0, "changed": 1}
    assert "changed there after it was imported" in report["notes"][0]["why"]
    assert Schedule.objects.get().text == "오늘의 특가 1 ☕"


def test_what_was_deleted_here_does_not_come_back(taken: Any) -> None:
    taken(stage.schedule(1, message_text=""))
    actions.delete(Schedule.objects.get(), by=User.objects.get(username="xinyi"))
    taken(stage.schedule(1, message_text=""))
    assert not Schedule.objects.exists()


def test_a_trial_says_the_same_and_keeps_nothing(
    world: Any, dumped: Any, import_legacy: Importer, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT, settings.TEIJI_PUBLIC_URL = tmp_path / "media", "https://teiji.example"
    picture(1).save(tmp_path / "a.jpg")
    rows = {**ROWS, "kb_schedule": [*ROWS["kb_schedule"],
            stage.schedule(5, message_images=stage.images("a.jpg"))]}  # fmt: skip
    path = dumped(**rows)
    before = everything()
    words = (path, "--account", "Sandbox", "--images", tmp_path)
    trial, _status = import_legacy(*words, dry_run=True)
    assert everything() == before
    assert not [file for file in (tmp_path / "media").rglob("*") if file.is_file()]
    real, _status = import_legacy(*words)
    assert real == trial | {"dry_run": False}


def test_an_imported_log_stands_where_runs_stand_with_its_own_times(
    world: Any, dumped: Any, import_legacy: Importer
) -> None:
    import_legacy(dumped(**ROWS), "--account", "Sandbox")
    run = Run.objects.get(schedule__timing_kind="once")
    assert (run.trigger, run.state, run.sent, run.total) == ("imported", "sent", 1, 1)
    assert run.due_at == datetime(2025, 7, 14, tzinfo=UTC)
    assert run.started_at == datetime(2025, 7, 14, 0, 0, 1, tzinfo=UTC)
    assert run.completed_at == datetime(2025, 7, 14, 0, 0, 2, 500_000, tzinfo=UTC)
    delivery = run.deliveries.get()
    assert (delivery.state, delivery.room.address) == ("sent", "old room")
    attempt = Attempt.objects.get(delivery_id=delivery.pk)
    assert (attempt.outcome, attempt.answer, attempt.lateness_ms) == (
        "accepted",
        {"ok": True},
        None,
    )


def test_two_logs_of_one_appointed_time_are_two_runs(
    world: Any, dumped: Any, import_legacy: Importer
) -> None:
    import_legacy(dumped(**ROWS), "--account", "Sandbox")
    runs = Run.objects.filter(schedule__timing_kind="weekly").order_by("due_at")
    assert [run.state for run in runs] == ["failed", "partial"]
    assert runs[0].due_at == datetime(2025, 7, 14, tzinfo=UTC)
    assert runs[1].due_at == datetime(2025, 7, 14, 0, 0, 1, tzinfo=UTC)
    assert runs[0].deliveries.get().error == "방이 없습니다"
    failed = Attempt.objects.get(run_id=runs[0].pk)
    assert (failed.outcome, failed.answer) == ("refused", {"answer": "oops"})


def test_the_page_of_an_imported_run_shows_what_was_sent(
    world: Any, dumped: Any, import_legacy: Importer, client: Any
) -> None:
    import_legacy(dumped(**ROWS), "--account", "Sandbox")
    client.force_login(world.people["xinyi"])
    run = Run.objects.get(schedule__timing_kind="once")
    page = client.get(f"/admin/schedules/run/{run.pk}/change/").content.decode()
    assert "오늘의 특가" in page
    assert "imported" in page
    for path in ("run", "delivery"):
        assert client.get(f"/admin/schedules/{path}/").status_code == 200
    assert client.get("/api/v1/logs").json()["results"][0]["content"]["text"] == "오늘의 특가"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.sql"], "There is no file nowhere.sql"),
        (["oracle://x/y"], "oracle:// is not read"),
        (["mysql://root@127.0.0.1:1/old"], "127.0.0.1"),
        (["mysql://root@127.0.0.1:3306"], "names no database"),
        (["{dump}"], "--account"),
        (["{dump}", "--account", "Nobody"], "There are: “Sandbox”"),
        (["{dump}", "--account", "Sandbox", "--tables", "users"], "users is not imported"),
        (["{dump}", "--account", "Sandbox", "--zone", "Seoul"], "not a time zone"),
        (["{dump}", "--account", "Sandbox", "--images", "/nowhere"], "no folder /nowhere"),
    ],
)
def test_what_the_command_cannot_use_is_named(
    world: Any, dumped: Any, words: list[str], message: str
) -> None:
    path = dumped(kb_schedule=[stage.schedule(1)])
    with pytest.raises(CommandError, match=message) as caught:
        call_command("import_legacy", *(word.format(dump=path) for word in words))
    assert caught.value.returncode == 2


def test_a_password_is_never_printed(world: Any) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("import_legacy", "mysql://root:s3cret@127.0.0.1:1/old", "--account", "Sandbox")
    assert "s3cret" not in str(caught.value)


def test_a_person_reads_alike_findings_in_one_line(world: Any, dumped: Any) -> None:
    rows = [stage.schedule(number, created_by_id="closed") for number in range(1, 12)]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_legacy", str(dumped(kb_schedule=rows)), account="Sandbox", stdout=out)
    assert "kb_schedule: 0 taken, 11 not taken." in out.getvalue()
    (line,) = [line for line in out.getvalue().splitlines() if "closed" in line]
    assert " and 3 more: created_by_id: there is no branch" in line
