"""Campaigns of the LINE sender come with their audience and results, once, from wherever."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from channels.models import Audience
from logs.models import History
from schedules.models import LegacyRow, Run, Schedule
from tests.conftest import World
from tests.schedules.legacy import stage
from tests.schedules.legacy.conftest import OldDatabase

pytestmark = pytest.mark.django_db

ROWS = [
    stage.campaign(1),
    stage.campaign(2, status="FAILED", sent_at=None, error_message="quota"),
    stage.campaign(3, status="DRAFT", scheduled_at=None, sent_at=None),
    stage.campaign(4, status="SCHEDULED", scheduled_at="2099-01-01 08:00:00", sent_at=None),
    stage.campaign(5, status="SENT", scheduled_at=None, sent_at=None),
    stage.campaign(6, status="SCHEDULED", sent_at=None, target_audience="新會員, 台北"),
]


@pytest.fixture
def vip(world: World) -> Audience:
    return Audience.objects.create(unit=world.taipei, account=world.sandbox, name="VIP members")


def outcome() -> list[Any]:
    """What of it can differ between two imports of the same, without the ids and times of ours."""
    schedules = Schedule.objects.order_by("uid").values_list(
        "uid", "unit__code", "title", "text", "audience__name", "state", "zone", "date", "time",
        "next_due_at",
    )  # fmt: skip
    runs = Run.objects.order_by("schedule__uid").values_list(
        "schedule__uid", "due_at", "state", "total", "sent", "failed", "detail", "started_at",
        "completed_at", "content",
    )  # fmt: skip
    rows = LegacyRow.objects.order_by("legacy_id").values_list("table", "legacy_id", "digest")
    return [*schedules, *runs, *rows, History.objects.count()]


def test_csv_files_and_the_database_give_the_same_and_a_second_time_nothing(
    vip: Audience, mariadb: OldDatabase, import_legacy: Any, tmp_path: Path
) -> None:
    words = ("--unit", "taipei", "--audience", "vip=VIP members")
    files = stage.write_csv(tmp_path, campaigns=ROWS)
    with transaction.atomic():
        report, status = import_legacy(*files, *words)
        of_files = outcome()
        transaction.set_rollback(True)
    assert not Schedule.objects.exists()
    url = mariadb.fill({"campaigns": ROWS})
    first, first_status = import_legacy(url, *words)
    assert (status, first_status) == (1, 1)
    assert report["tables"] == first["tables"] == {"campaigns": {"taken": 5, "not taken": 1}}
    assert outcome() == of_files
    for source in ([url], files, [url]):
        again, _status = import_legacy(*source, *words)
        assert again["tables"] == {"campaigns": {"taken": 0, "known": 5, "not taken": 1}}
        assert outcome() == of_files


def test_campaigns_come_with_their_results_and_their_audience(
    world: World, dumped: Any, import_legacy: Any
) -> None:
    report, status = import_legacy(dumped(campaigns=ROWS[:5]), "--unit", "taipei")
    assert (status, report["tables"]["campaigns"]) == (1, {"taken": 4, "not taken": 1})
    states = Schedule.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["completed", "error", "draft", "draft"]
    sent, failed = Run.objects.order_by("pk")
    assert (sent.state, sent.sent, sent.zone) == ("sent", 120, "Asia/Taipei")
    assert sent.due_at == datetime(2025, 10, 1, 2, tzinfo=UTC)
    assert (failed.state, failed.detail) == ("failed", "quota")
    assert "--audience “vip=…”" in report["notes"][0]["why"]
