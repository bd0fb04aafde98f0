"""A backup is whole, secret and of one moment; what is put back sends nothing by itself."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from channels.models import Account, Image
from config.backup.archive import Writer
from config.backup.manifest import begin
from config.backup.restoring import refuse
from config.backup.trouble import Trouble
from logs.chain.seal import seal_all
from logs.models import Attempt, Chain
from orgs.models import Unit
from schedules import actions
from schedules.models import Delivery, Schedule
from tests.processes.copies import Copy, empty, url_of
from tests.processes.machine import ROOT

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.timeout(300),  # it starts processes, on a machine that may be busy
]


class Backups:
    """Backups of the test's own database, their key, and where they are put back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "backups"
        self.key = folder / "key.txt"
        call_command("backup", new_key=self.key, stdout=StringIO())

    def make(self, **options: Any) -> dict[str, Any]:
        out = StringIO()
        words = {"key": self.key, "json": True, "stdout": out, **options}
        call_command("backup", self.folder, **words)
        return dict(json.loads(out.getvalue()))

    @contextmanager
    def fresh(self) -> Iterator["Fresh"]:
        """An installation in which there is nothing: no table, no file."""
        folder = self.folder.parent / "fresh"
        folder.mkdir()
        with empty(folder) as database:
            yield Fresh(folder, database)


@pytest.fixture
def backups(tmp_path_factory: pytest.TempPathFactory) -> Backups:
    return Backups(tmp_path_factory.mktemp("apart"))


class Fresh:
    def __init__(self, folder: Path, database: Copy) -> None:
        self.database = database
        own = {
            "TEIJI_DATABASE_URL": url_of(database),
            "TEIJI_DATA_DIR": str(folder),
            "TEIJI_MEDIA_ROOT": str(folder / "media"),
            "TEIJI_SECRET_KEY": django_settings.SECRET_KEY,
            "TEIJI_SECRET_KEYS": ",".join(map(_text, django_settings.TEIJI_SECRET_KEYS)),
            "TEIJI_BROKER_URL": "filesystem://",
            "PYTHONWARNINGS": "default",
        }
        self.environment = os.environ | own
        self.media = folder / "media"

    def manage(self, *words: object, **environment: str) -> tuple[int, str]:
        """A command on it: its exit status, and what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *map(str, words)],
            check=False,
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=110,
        )
        return done.returncode, done.stdout + done.stderr

    def counts(self, *tables: str) -> list[int]:
        """How many rows these tables have."""
        if isinstance(self.database, Path):
            connected: Any = sqlite3.connect(self.database)
        else:
            connected = psycopg.connect(self.environment["TEIJI_DATABASE_URL"])
        with closing(connected):
            counts = [connected.execute(f"SELECT COUNT(*) FROM {table}") for table in tables]
            return [cursor.fetchone()[0] for cursor in counts]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_backed_up_sent_on_and_restored_not_one_message_goes_again(
    world: Any,
    make_schedule: Callable[..., Schedule],
    make_images: Callable[[int], list[Image]],
    dispatch: Callable[[], int],
    backups: Backups,
) -> None:
    by = world.people["xinyi"]
    actions.register(make_schedule(text="sent before", timing_kind="now"), by=by)
    assert dispatch() == 1
    actions.register(make_schedule(text="due, not sent", timing_kind="now"), by=by)
    make_images(2)
    seal_all()
    head = str(Chain.objects.get())
    made = backups.make()
    assert made["images"] == 4
    assert dispatch() == 1  # sent on
    assert not Delivery.objects.exclude(state="sent").exists()

    with backups.fresh() as other:
        status, said = other.manage("restore", made["file"], "--key", backups.key)
        assert status == 0, said
        assert "all sending is fenced" in said
        tables = ["orgs_unit", "schedules_schedule", "schedules_delivery", "logs_attempt"]
        assert other.counts(*tables) == [Unit.objects.count(), 2, 2, 1]
        files = [path for path in other.media.rglob("*") if path.is_file()]
        assert {path.name: path.read_bytes() for path in files} == {
            Path(field.path).name: Path(field.path).read_bytes()
            for image in Image.objects.all()
            for field in (image.file, image.preview)
        }
        # A worker may start: the fence holds.
        assert "0 answers were settled" in other.manage("dispatch", "--once")[1]
        assert other.counts("schedules_delivery", "logs_attempt") == [2, 1]
        status, said = other.manage("fence", "--lift")
        assert "set back to an earlier state" in said
        assert (status, "1 skipped" in said) == (0, True)
        assert "0 answers were settled" in other.manage("dispatch", "--once")[1]
        assert other.counts("logs_attempt") == [1]
        status, said = other.manage("audit", "verify", "--head", head)
        assert (status, "The history is whole." in said) == (0, True), said
    assert Attempt.objects.count() == 2


@pytest.mark.thorough
def test_the_archive_of_the_send_log_is_in_it(world: Any, backups: Backups, settings: Any) -> None:
    root = settings.TEIJI_ARCHIVE_ROOT = backups.folder.parent / "archive"
    root.mkdir()
    (root / "2024-07.jsonl.gz").write_bytes(b"runs of July")
    made = backups.make()
    with backups.fresh() as other:
        status, said = other.manage("restore", made["file"], "--key", backups.key)
        assert status == 0, said
        put_back = other.media.parent / "archive" / "2024-07.jsonl.gz"
        assert put_back.read_bytes() == b"runs of July"


@pytest.mark.thorough
def test_what_came_after_the_backup_gets_ids_that_were_never_given(
    world: Any, backups: Backups
) -> None:
    Unit.objects.get(pk=world.tainan.pk)
    made = backups.make()
    with backups.fresh() as other:
        assert other.manage("restore", made["file"], "--key", backups.key)[0] == 0
        code = """
from channels.models import Account, Room
account = Account.objects.first()
print(Room.objects.create(account=account, unit=account.unit, name="new", address="new").pk)"""
        said = other.manage("shell", "--no-imports", "-c", code)[1]
        assert int(said.splitlines()[-1]) > world.tainan_room.pk


def test_a_backup_goes_into_an_empty_installation_only(world: Any, backups: Backups) -> None:
    made = backups.make()
    with pytest.raises(CommandError, match="has units in it"):
        call_command("restore", made["file"], key=backups.key)
    with pytest.raises(CommandError, match=r"is whole\. This database has"):
        call_command("restore", made["file"], key=backups.key, dry_run=True)


def test_a_file_that_is_not_there_is_named_without_a_number(world: Any, backups: Backups) -> None:
    with pytest.raises(CommandError, match=r"restored\. /nowhere: No such file or directory\.$"):
        call_command("restore", Path("/nowhere"), key=backups.key)
    with pytest.raises(CommandError, match=r"made\. /nowhere: No such file or directory\.$"):
        call_command("backup", backups.folder, key=Path("/nowhere"))


def test_a_backup_of_a_later_version_is_refused(db: None) -> None:
    later = begin("now")
    later.migrations.append(["schedules", "9999_of_tomorrow"])
    with pytest.raises(Trouble, match=r"schedules\.9999_of_tomorrow"):
        refuse(later)


@pytest.mark.thorough
def test_what_failed_among_the_images_is_restored_the_next_time(
    world: Any, make_images: Callable[[int], list[Image]], backups: Backups
) -> None:
    make_images(1)
    words = ["restore", backups.make()["file"], "--key", backups.key]
    with backups.fresh() as other:
        other.media.write_text("no folder")
        status, said = other.manage(*words)
        assert (status, "Nothing can be restored" in said) == (2, True), said
        other.media.unlink()
        status, said = other.manage(*words)
        assert status == 0, said
        assert other.counts("orgs_unit") == [Unit.objects.count()]


@pytest.mark.thorough
def test_a_restore_that_was_broken_off_among_the_tables_is_made_again(
    world: Any, backups: Backups
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("its tables come with the file")
    words = ["restore", backups.make()["file"], "--key", backups.key]
    with backups.fresh() as other:
        assert other.manage("migrate", "orgs")[0] == 0
        status, said = other.manage(*words)
        assert status == 0, said
        assert other.counts("orgs_unit") == [Unit.objects.count()]


def test_whether_it_could_be_restored_is_told_without_doing_so(
    world: Any, backups: Backups
) -> None:
    made = backups.make()
    with backups.fresh() as other:
        status, said = other.manage(
            "restore", made["file"], "--key", backups.key, "--dry-run", "--json"
        )
        assert (status, json.loads(said)["dry_run"]) == (0, True)
        with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable)):
            other.counts("orgs_unit")


@pytest.mark.thorough
def test_other_keys_than_those_of_its_secrets_are_missed(world: Any, backups: Backups) -> None:
    account = Account(unit=world.hq, name="LINE", kind="line", config={})
    account.secrets = {"channel_secret": "x" * 32}
    account.save()
    made = backups.make()
    with backups.fresh() as other:
        strange = {"TEIJI_SECRET_KEYS": "M" * 43 + "="}
        status, said = other.manage("restore", made["file"], "--key", backups.key, **strange)
        assert (status, "credentials of 1 accounts cannot be opened" in said) == (0, True)


def test_nothing_in_it_can_be_read_without_the_key(
    world: Any, backups: Backups, tmp_path: Path
) -> None:
    data = Path(backups.make()["file"]).read_bytes()
    assert data.startswith(b"age-encryption.org/v1")
    assert b"Xinyi" not in data and b"SQLite" not in data
    other = tmp_path / "other.txt"
    call_command("backup", new_key=other, stdout=StringIO())
    with pytest.raises(CommandError, match="another key"):
        call_command("restore", backups.make()["file"], key=other)


@pytest.mark.parametrize("harm", ["flip", "cut", "grow"])
def test_a_damaged_backup_is_refused(world: Any, backups: Backups, harm: str) -> None:
    path = Path(backups.make()["file"])
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 1
    path.write_bytes({"flip": data, "cut": data[:-9], "grow": data + b"more"}[harm])
    with pytest.raises(CommandError, match="damaged, or not whole"):
        call_command("restore", path, key=backups.key)


def test_only_the_latest_backups_are_kept(world: Any, backups: Backups, tmp_path: Path) -> None:
    folder = backups.folder
    folder.mkdir()
    before = datetime.now(UTC) - timedelta(days=1)
    old = [folder / f"teiji-{before + timedelta(hours=n):%Y%m%d-%H%M%S}.age" for n in range(3)]
    for path in [*old, folder / "mine.age"]:
        path.touch()
    made = backups.make(keep=2)
    left = {path.name for path in folder.iterdir()}
    assert left == {Path(made["file"]).name, old[2].name, "mine.age"}
    assert len(made["removed"]) == 2


def test_what_fails_leaves_no_file_that_looks_like_a_backup(
    world: Any, backups: Backups, tmp_path: Path, monkeypatch: Any
) -> None:
    def fail(*words: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("config.backup.making._add", fail)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.png").touch()
    monkeypatch.setattr(django_settings, "MEDIA_ROOT", tmp_path / "media")
    with pytest.raises(CommandError, match="No space left"):
        backups.make()
    assert list(backups.folder.iterdir()) == []


@pytest.mark.timeout(60)
def test_a_disk_that_is_full_in_the_middle_of_a_table_ends_the_backup(
    world: Any, backups: Backups, monkeypatch: Any
) -> None:
    """The connection that copies it is not waited for."""
    if connection.vendor != "postgresql":
        pytest.skip("no table is copied here: the file is")
    add = Writer.add

    def fill(archive: Writer, name: str, *rest: Any) -> None:
        if name.endswith(".000001"):  # the first has the names of the columns
            raise OSError(28, "No space left on device")
        add(archive, name, *rest)

    monkeypatch.setattr("config.backup.archive.PIECE", 1)
    monkeypatch.setattr(Writer, "add", fill)
    with pytest.raises(CommandError, match="No space left"):
        backups.make()
    assert list(backups.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["backup", "{folder}"], "Give the key"),
        (["backup", "--key", "{key}"], "Name the folder"),
        (["backup", "{folder}", "--key", "{folder}/none"], "none"),
        (["backup", "{folder}", "--key", "{key}", "--keep=-3"], "--keep takes 0 or more"),
        (["backup", "{media}/backups", "--key", "{key}"], "lies among the images"),
        (["restore", "{folder}/none", "--key", "{key}"], "none"),
        (["restore", "{key}", "--key", "{key}"], "no backup"),
    ],
)
def test_what_is_missing_is_named(
    world: Any, backups: Backups, tmp_path: Path, words: list[str], message: str
) -> None:
    given = [
        word.format(folder=tmp_path, media=django_settings.MEDIA_ROOT, key=backups.key)
        for word in words
    ]
    with pytest.raises(CommandError, match=message) as caught:
        call_command(*given)
    assert caught.value.returncode == 2


def test_a_key_is_never_written_over(backups: Backups) -> None:
    key = backups.key
    before = key.read_text()
    with pytest.raises(CommandError):
        call_command("backup", new_key=key)
    assert key.read_text() == before
    assert key.stat().st_mode & 0o077 == 0


def test_the_key_may_stand_in_the_environment(
    world: Any, backups: Backups, monkeypatch: Any
) -> None:
    monkeypatch.setenv("OUR_KEY", backups.key.read_text())
    out = StringIO()
    call_command("backup", backups.folder, key_env="OUR_KEY", stdout=out)
    assert "verified" in out.getvalue()
