"""What lies in a PostgreSQL is taken over as what lies in a MariaDB, and once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from channels.models import Audience
from schedules.legacy.reading import open_source
from schedules.models import Schedule
from tests.conftest import World
from tests.schedules.legacy import stage
from tests.schedules.legacy.conftest import OldDatabase, OldPostgreSQL
from tests.schedules.legacy.test_import import everything

pytestmark = pytest.mark.django_db

Importer = Callable[..., tuple[dict[str, Any], int]]
WEEKLY = {"schedule_type": "weekly", "schedule_weekdays": "{monday,friday}"}
ROWS: dict[str, list[stage.Row]] = {
    "kb_schedule": [
        stage.schedule(1, **WEEKLY),
        stage.schedule(2, status="inactive", message_images=stage.images("a.jpg")),
        stage.schedule(3, schedule_type="once", schedule_date="2025-07-14", status="completed"),
        stage.schedule(4, created_by_id="closed"),
        stage.schedule(5, valid_until="infinity"),
    ],
    "kb_schedule_logs": [
        stage.log(1, 3),
        stage.log(2, 1, status="failed", error_message="방이 없습니다", api_response='"oops"'),
        stage.log(3, 1, status="partial", sent_images=stage.images("a.jpg")),
        stage.log(4, 4),
    ],
}


def schedules() -> list[dict[str, Any]]:
    return list(Schedule.objects.order_by("pk").values())


def test_a_second_import_changes_nothing_and_one_bad_value_is_one_rows(
    world: World, old_postgresql: OldPostgreSQL, import_legacy: Importer
) -> None:
    url = old_postgresql.fill(ROWS)
    first, status = import_legacy(url, "--account", "Sandbox")
    assert status == 1
    assert first["tables"] == {
        "kb_schedule": {"taken": 3, "not taken": 2},
        "kb_schedule_logs": {"known": 0, "taken": 3, "not taken": 1},
    }
    wrong = {(row["row"], row["column"]) for row in first["not_taken"]}
    assert wrong > {("4", "created_by_id"), ("5", "valid_until")}
    weekly = Schedule.objects.get(timing_kind="weekly")
    assert (weekly.weekdays, weekly.zone) == ([0, 4], "Asia/Seoul")
    before = everything(), schedules()
    second, _status = import_legacy(url, "--account", "Sandbox")
    assert second["tables"] == {
        "kb_schedule": {"taken": 0, "known": 3, "not taken": 2},
        "kb_schedule_logs": {"known": 3, "taken": 0, "not taken": 1},
    }
    assert second["not_taken"] == first["not_taken"]
    assert (everything(), schedules()) == before


def test_what_was_taken_from_a_mariadb_is_known_when_it_has_moved_to_a_postgresql(
    world: World, mariadb: OldDatabase, old_postgresql: OldPostgreSQL, import_legacy: Importer
) -> None:
    campaigns = [
        stage.campaign(1),
        stage.campaign(2, status="SCHEDULED", scheduled_at="2099-01-01 08:00:00", sent_at=None),
    ]
    Audience.objects.create(unit=world.taipei, account=world.sandbox, name="VIP members")
    words = ("--unit", "taipei", "--audience", "vip=VIP members")
    import_legacy(mariadb.fill({"campaigns": campaigns}), *words)
    before = everything(), schedules()
    report, status = import_legacy(old_postgresql.fill({"campaigns": campaigns}), *words)
    assert (status, report["tables"]["campaigns"]) == (0, {"taken": 0, "known": 2})
    assert (everything(), schedules()) == before


def test_a_video_comes_at_the_moment_that_its_column_has_with_a_zone(
    world: World, old_postgresql: OldPostgreSQL, import_legacy: Importer
) -> None:
    rows = [
        stage.video(1, scheduled_publish_at="2099-01-01 20:00:00+08"),
        stage.video(2, scheduled_publish_at=None),
    ]
    words = (old_postgresql.fill({"video": rows}), "--unit", "taipei", "--room", world.room.pk)
    report, status = import_legacy(*words)
    assert (status, report["tables"]) == (0, {"video": {"taken": 1, "without a time": 1}})
    at = datetime(2099, 1, 1, 12, tzinfo=UTC)
    assert Schedule.objects.get().next_due_at == at
    assert (Schedule.objects.get().time.hour, Schedule.objects.get().zone) == (
        at.astimezone(ZoneInfo("Asia/Taipei")).hour, "Asia/Taipei",
    )  # fmt: skip
    before = schedules()
    again, _status = import_legacy(*words)
    assert again["tables"]["video"] == {"taken": 0, "known": 1, "without a time": 1}
    assert schedules() == before


def test_a_trial_says_the_same_and_keeps_nothing(
    world: World, old_postgresql: OldPostgreSQL, import_legacy: Importer
) -> None:
    words = (old_postgresql.fill(ROWS), "--account", "Sandbox")
    before = everything()
    trial, _status = import_legacy(*words, dry_run=True)
    assert everything() == before
    real, _status = import_legacy(*words)
    assert real == trial | {"dry_run": False}


def test_the_older_system_is_only_read_and_its_tables_may_lie_in_a_schema_of_their_own(
    old_postgresql: OldPostgreSQL,
) -> None:
    old_postgresql.connection.execute("CREATE SCHEMA old")
    old_postgresql.connection.execute("SET search_path TO old")
    url = old_postgresql.fill({"video": [stage.video(1)]})
    assert open_source([url]).tables() == set()
    source: Any = open_source([f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dold"])
    assert source.tables() == {"video"} and source.count("video") == 1
    with pytest.raises(Exception, match="read-only transaction"):
        list(source._asked("SELECT nextval('video_id_seq')"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgres://127.0.0.1:1/old", "127.0.0.1 says"),
        ("postgres://127.0.0.1:x/old", "port in the URL"),
        ("mysql://127.0.0.1:99999/old", "port in the URL"),
        ("postgresql://teiji@127.0.0.1", "postgresql://user@host/NAME"),
        ("postgres://127.0.0.1/old?nonsense=1", "nonsense"),
    ],
)
def test_a_url_that_leads_nowhere_is_named(world: World, url: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        call_command("import_legacy", url, "--account", "Sandbox")
    assert caught.value.returncode == 2
