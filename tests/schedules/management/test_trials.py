"""What commands say of what they would do changes nothing, and a program can read it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import override_settings

from channels.models import Account, Room
from config.backup.restoring import verify
from config.backup.sealing import read_key
from config.doctor import examine
from logs.models import History
from orgs.clock import database_now
from orgs.models import Unit, User
from schedules.actions import register
from schedules.management.commands import dispatch as dispatching
from schedules.management.commands import quota as asking
from schedules.models import Delivery, Installation, Schedule
from tests.fakes.line import LineFake
from tests.fakes.serving import in_thread
from tests.schedules.fencing import fenced_by_the_machine

pytestmark = pytest.mark.django_db(transaction=True)


def away(*_args):
    raise OperationalError("no server")


def came_due(planned):
    planned()
    at = database_now() - timedelta(seconds=5)
    Delivery.objects.update(due_at=at, next_try_at=at)


# dispatch --once


def test_what_was_due_went_and_nothing_is_left(world, make_schedule, manage):
    register(make_schedule(timing_kind="now"), by=world.people["xinyi"])
    said = manage("dispatch", "--once", "--json")
    assert (said.status, said.json) == (0, {"settled": 1, "left": 0, "fenced": False})


def test_what_the_fence_keeps_back_is_left_and_an_exit_status(world, planned, manage):
    came_due(planned)
    fenced_by_the_machine()
    said = manage("dispatch", "--once")
    assert (said.status, "All sending is fenced" in said.out) == (1, True)
    assert manage("dispatch", "--once", "--json").json == {"settled": 0, "left": 1, "fenced": True}


def test_a_database_that_is_away_is_not_waited_for(manage, monkeypatch):
    monkeypatch.setattr(dispatching, "database_now", away)
    said = manage("dispatch", "--once")
    assert (said.status, "The database does not answer" in said.err) == (2, True)


# quota


@pytest.fixture
def line(line_account, settings):
    fake = LineFake(quota=1000)
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        yield fake


def test_a_month_with_room_in_it_is_well(line, line_account, manage):
    line.used = 250
    said = manage("quota", "--json")
    (one,) = said.json
    assert (said.status, one["account"], one["used"], one["limit"], one["error"]) == (
        0, "LINE", 250, 1000, "",
    )  # fmt: skip


def test_a_month_that_is_used_up_and_an_account_that_cannot_be_asked_are_trouble(line, manage):
    line.used = 1000
    assert manage("quota").status == 1
    line.used = 10
    line.revoke_tokens()
    said = manage("quota", "--json")
    assert (said.status, bool(said.json[0]["error"])) == (1, True)


def test_no_account_that_bills_is_well_too(world, manage):
    said = manage("quota")
    assert (said.status, said.out) == (0, "No account bills its messages.\n")
    assert manage("quota", "--json").json == []


def test_quota_says_that_the_database_is_away(manage, monkeypatch):
    monkeypatch.setattr(asking, "database_now", away)
    assert manage("quota").status == 2


# fence


def test_a_lift_is_foreseen_and_the_fence_stays(world, planned, manage):
    came_due(planned)
    assert manage("fence", "--up", "wrong prices", "--json").json == {"fenced": True}
    before = History.objects.count()
    said = manage("fence", "--lift", "--dry-run")
    assert said.status == 0
    assert "A trial: the fence stays. Lifted, of what is due: 1 skipped." in said.out
    trial = manage("fence", "--lift", "--dry-run", "--json").json
    assert trial == {"dry_run": True, "fenced": True, "skipped": 1}
    assert Installation.objects.fenced() and History.objects.count() == before
    assert Delivery.objects.get().state == "planned"
    lifted = manage("fence", "--lift", "--json").json
    assert lifted == {"dry_run": False, "fenced": False, "skipped": trial["skipped"]}
    assert manage("fence", "--json").json == {"fenced": False}


def test_the_fence_is_told_to_programs(world, planned, manage):
    came_due(planned)
    fenced_by_the_machine()
    said = manage("fence", "--json")
    assert said.status == 1
    assert (said.json["reason"], said.json["due"]) == ("clone", 1)
    assert said.json["by_unit"] == [{"unit": "Xinyi", "channel": "sandbox", "count": 1}]


def test_a_trial_of_nothing_or_by_somebody_without_the_right_is_refused(world, manage):
    assert manage("fence", "--lift", "--dry-run").status == 2
    assert manage("fence", "--dry-run").status == 2
    fenced_by_the_machine()
    assert manage("fence", "--lift", "--dry-run", "--by", "xinyi").status == 2


# send_test


def test_a_test_is_tried_and_nothing_is_left_of_it(world, manage):
    words = ("send_test", "--account", "Sandbox", "--address", "lab", "--dry-run")
    said = manage(*words)
    assert (said.status, "it would go to Test lab through Sandbox" in said.out) == (0, True)
    assert manage(*words, "--json").json["dry_run"] is True
    assert not (Schedule.objects.exists() or Room.objects.filter(address="lab").exists())
    assert not History.objects.exists()
    Account.objects.update(is_active=False)
    assert manage(*words).status == 2


# demo_data


def test_what_the_demonstration_would_add_is_counted(db, manage, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    trial = manage("demo_data", "--dry-run", "--json").json
    assert trial["dry_run"] and not Unit.objects.exists()
    said = manage("demo_data", "--json").json
    assert said["added"] == trial["added"]
    assert trial["added"] == {
        "units": Unit.objects.count(),
        "people": User.objects.count(),
        "schedules": Schedule.objects.count(),
    }
    assert said["token"].startswith("tj_") and said["token_of"] == "gangnam"
    again = manage("demo_data", "--dry-run")
    assert again.out == "A trial: 0 units, 0 people, 0 schedules would be added.\n"


def test_production_refuses_the_trial_too(db, manage):
    with override_settings(PRODUCTION=True):
        assert manage("demo_data", "--dry-run").status == 1


# backup


def test_a_backup_is_foreseen_and_none_is_written(world, manage, settings, tmp_path: Path):
    settings.MEDIA_ROOT, settings.TEIJI_ARCHIVE_ROOT = tmp_path / "media", tmp_path / "archive"
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.jpg").write_bytes(b"12345")
    key, folder = tmp_path / "key", tmp_path / "backups"
    manage("backup", "--new-key", key)
    words = ("backup", folder, "--key", key, "--keep", 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # on SQLite it makes a table, which no backup tells of
    trial = manage(*words, "--dry-run", "--json").json
    assert (trial["dry_run"], trial["files"], trial["size"], trial["removed"]) == (True, 1, 5, [])
    assert not folder.exists() and not History.objects.exists()
    made = manage(*words, "--json").json
    assert made["rows"] == trial["rows"]
    assert manage(*words, "--dry-run", "--json").json["removed"] == [made["file"]]
    assert Path(made["file"]).exists()
    assert manage("backup", folder, "--dry-run").status == 2, "without a key"


def test_a_key_is_made_in_no_trial_and_told_to_programs(manage, tmp_path: Path):
    words = "backup", "--new-key", tmp_path / "key", "--json"
    assert manage(*words, "--dry-run").json["dry_run"] and not (tmp_path / "key").exists()
    assert manage(*words).json["key_file"] == str(tmp_path / "key")
    assert read_key((tmp_path / "key").read_text())
    assert manage(*words, "--dry-run").status == 2, "it would write over it"


# How far a long work is


def test_verifying_a_backup_tells_how_much_of_it_was_read(world, manage, settings, tmp_path):
    settings.MEDIA_ROOT, settings.TEIJI_ARCHIVE_ROOT = tmp_path / "media", tmp_path / "archive"
    key, folder = tmp_path / "key", tmp_path / "backups"
    manage("backup", "--new-key", key)
    made = Path(manage("backup", folder, "--key", key, "--json").json["file"])
    totals, read = {}, []

    def begin_bar(name, total):
        totals[name] = total
        return read.append

    verify(made, read_key(key.read_text()), begin_bar)
    assert totals == {"bytes": made.stat().st_size}
    assert sum(read) == totals["bytes"] and len(read) > 1


def test_the_doctor_tells_what_it_examines_before_it_waits_for_the_answer(db):
    begun = []
    names = [name for name, _finding in examine(begun.append)]
    assert begun == names and names[0] == "database"
