"""`manage.py doctor`: each trouble is found, and what to do about it is said."""

import errno
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import OperationalError, connection
from django.test import override_settings

from channels.models import Account, AlertTarget, Notice, Telling
from config.doctor import EXAMINATIONS, Finding, Level, examine, machine, running
from config.doctor import finding as registry
from config.health import DISK_LEAST
from logs import history
from orgs.clock import database_now
from orgs.models import Unit
from schedules.actions.fence import own_installation
from schedules.models import Heartbeat, Installation
from tests.fakes.faults import Faults
from tests.fakes.serving import in_thread
from tests.fakes.wire import Answer, Request, json_answer

pytestmark = pytest.mark.django_db

SECRET = "canary-4f1c"
GB = 1024**3


class Site:
    """Answers as the installation does from outside, or as something else."""

    latency, faults = 0.0, Faults()

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def handle(self, request: Request) -> Answer:
        return self.answer


@pytest.fixture
def found() -> Callable[[str], Finding]:
    return lambda name: EXAMINATIONS[name]()


def age(days: int) -> Any:
    """Sealed so many days ago."""
    now = int(database_now().timestamp())
    key = Fernet(settings.TEIJI_SECRET_KEYS[0])
    return key.encrypt_at_time(b"{}", now - days * 86_400).decode()


def test_a_part_that_is_well_needs_no_advice(world: Any) -> None:
    Heartbeat.beat(Heartbeat.Kind.LOOP, "worker", database_now())
    well = {name for name, finding in examine() if finding.level == Level.OK}
    named = {"database", "clock", "migrations", "dispatcher", "fence", "due", "workers", "disk",
             "accounts", "secrets", "tokens", "zones", "zone_data", "media", "broker"}  # fmt: skip
    assert named <= well


def test_whatever_is_wrong_is_said_with_what_to_do(world: Any) -> None:
    for name, finding in examine():
        assert bool(finding.advice) == (finding.level in (Level.WARNING, Level.ERROR)), name


def test_it_works_when_the_database_is_down(manage: Any, monkeypatch: Any) -> None:
    def down(*_args: Any) -> None:
        raise OperationalError(f"connection to {SECRET} failed")

    monkeypatch.setattr(connection, "ensure_connection", down)
    monkeypatch.setattr(connection, "cursor", down)
    said = manage("doctor", "--json")
    assert said.status == 2
    levels = {name: finding["level"] for name, finding in said.json.items()}
    assert levels["database"] == "error"
    assert levels["disk"] == levels["media"] == levels["broker"] == "ok"
    assert levels["accounts"] == levels["clock"] == levels["fence"] == "skipped"
    assert SECRET not in said.out + said.err


def test_what_fails_in_an_unforeseen_way_is_said_and_the_others_go_on(
    manage: Any, monkeypatch: Any
) -> None:
    def fail() -> Finding:
        raise LookupError(SECRET)

    monkeypatch.setitem(EXAMINATIONS, "alerts", fail)
    said = manage("doctor", "--json")
    assert said.json["alerts"]["level"] == "error"
    assert said.json["alerts"]["said"] == "it could not be examined (LookupError)"
    assert set(said.json) == set(EXAMINATIONS)
    assert SECRET not in said.out + said.err


@pytest.mark.parametrize("keys", [[], ["no key of Fernet"]])
def test_keys_that_are_none_are_found(
    world: Any, manage: Any, settings: Any, keys: list[str]
) -> None:
    for kind in ("line", "kakao"):
        Account.objects.create(unit=world.hq, name=kind, kind=kind, sealed=age(1))
    settings.TEIJI_SECRET_KEYS = keys
    said = manage("doctor", "--json")
    assert said.json["secrets"]["said"] == "the present keys do not open those of line, kakao"
    assert said.json["tokens"]["level"] == "ok", "it is said once"
    assert "TEIJI_SECRET_KEYS" in said.json["configuration"]["said"]
    assert set(said.json) == set(EXAMINATIONS)


@pytest.mark.parametrize(
    ("levels", "status"), [("ok ok", 0), ("ok warning", 1), ("error warning", 2), ("skipped", 0)]
)
def test_the_exit_status_is_that_of_the_worst(
    manage: Any,
    monkeypatch: Any,
    levels: str,
    status: int,
) -> None:
    given = {f"part{n}": Finding(Level(one), "said") for n, one in enumerate(levels.split())}
    monkeypatch.setattr("config.management.commands.doctor.examine", lambda _begin: given.items())
    assert manage("doctor").status == status


def test_it_prints_no_secret(world: Any, manage: Any, settings: Any) -> None:
    settings.TEIJI_ALERT_URLS = [f"json://user:{SECRET}@127.0.0.1/"]
    settings.TEIJI_METRICS_TOKEN = settings.SECRET_KEY = SECRET
    settings.TEIJI_HEARTBEAT_URL = f"https://hc.example.com/{SECRET}"
    account = Account(unit=world.hq, name="LINE", kind="line", stopped_at=database_now())
    account.secrets = {"access_token": SECRET}
    account.save()
    for words in (["doctor"], ["doctor", "--json"]):
        said = manage(*words)
        assert SECRET not in said.out + said.err
        assert settings.TEIJI_SECRET_KEYS[0] not in said.out


@pytest.mark.parametrize(("name", "expected"), [("PostgreSQL", (13, 9)), ("SQLite", (3, 34, 1))])
def test_an_old_database_is_found(found: Any, monkeypatch: Any, name: str, expected: Any) -> None:
    vendor = name.lower()
    old = SimpleNamespace(
        vendor=vendor, ensure_connection=lambda: None, get_database_version=lambda: expected
    )
    monkeypatch.setattr(running, "connection", old)
    said = found("database")
    assert (said.level, said.said) == ("error", f"{name} {'.'.join(map(str, expected))} is too old")


def test_a_database_that_cannot_keep_every_language_is_found(found: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(running, "encoding_of", lambda _: "SQL_ASCII")
    said = found("encoding")
    assert (said.level, said.advice) == ("error", running.ANEW)
    assert said.said.startswith("SQL_ASCII: ")


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.3, "ok"), (-0.3, "ok"), (5, "warning"), (-7200, "error")]
)
def test_a_wrong_clock_is_found(found: Any, monkeypatch: Any, seconds: float, level: str) -> None:
    monkeypatch.setattr(running, "clock_offset", lambda: seconds)
    assert found("clock").level == level


def test_no_worker_and_a_silent_beat_are_found(found: Any) -> None:
    assert found("dispatcher").level == "error"
    assert found("beat").level == "warning"


def test_a_fence_is_found(found: Any) -> None:
    own_installation()
    Installation.objects.update(fenced_at=database_now(), reason="by_hand")
    assert found("fence").level == "error"


def test_a_stopped_account_is_named(world: Any, found: Any) -> None:
    Account.objects.update(stopped_at=database_now(), stopped_why="Authentication failed")
    assert (found("accounts").level, found("accounts").said) == ("error", "stopped: Sandbox")


def test_secrets_that_the_present_keys_do_not_open_are_named(
    world: Any, found: Any, settings: Any
) -> None:
    account = Account(unit=world.hq, name="LINE", kind="line")
    account.secrets = {"access_token": SECRET}
    account.save()
    target = AlertTarget(unit=world.hq, name="Ops channel")
    target.url = "json://127.0.0.1/"
    target.save()
    assert found("secrets").level == "ok"
    settings.TEIJI_SECRET_KEYS = [Fernet.generate_key().decode()]
    said = found("secrets")
    assert said.level == "error"
    assert said.said.endswith("those of LINE, Ops channel")


@pytest.mark.parametrize(("days", "level"), [(10, "ok"), (45, "warning"), (90, "warning")])
def test_credentials_that_were_not_renewed_for_long_are_named(
    world: Any, found: Any, days: int, level: str
) -> None:
    Account.objects.create(unit=world.hq, name="Notices", kind="kakao", sealed=age(days))
    Account.objects.create(unit=world.hq, name="LINE", kind="line", sealed=age(days))
    said = found("tokens")
    assert said.level == level
    assert ("Notices" in said.said) == (level == "warning")
    assert "LINE" not in said.said


def test_a_folder_for_images_that_cannot_be_written_is_found(
    found: Any, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    assert found("media").level == "error"
    settings.MEDIA_ROOT = tmp_path / "media"
    assert found("media").level == "ok"


@pytest.mark.parametrize(
    ("free", "level"), [(50 * GB, "ok"), (GB // 2, "warning"), (DISK_LEAST - 1, "error")]
)
def test_a_disk_that_is_nearly_full_is_found(
    found: Any, monkeypatch: Any, free: int, level: str
) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    assert found("disk").level == level


def test_a_mount_that_hangs_is_found_and_the_others_are_examined(
    monkeypatch: Any,
) -> None:
    goes_on = Event()
    monkeypatch.setattr(registry, "PATIENCE", 0.1)
    some = {name: EXAMINATIONS[name] for name in ("disk", "zone_data")}
    monkeypatch.setattr(registry, "EXAMINATIONS", some)
    monkeypatch.setattr(machine, "existing", lambda place: goes_on.wait() and place)
    try:
        found = dict(examine())
        assert (found["disk"].level, found["zone_data"].level) == (Level.ERROR, Level.OK)
        assert found["disk"].said == "it does not answer within 0 s"
    finally:
        goes_on.set()


def test_a_folder_that_cannot_be_looked_at_is_found(found: Any, monkeypatch: Any) -> None:
    def stale(place: Path) -> Path:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(machine, "existing", stale)
    assert found("disk").level == "error"
    assert found("disk").said == "it cannot be looked at (Stale file handle)"


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (json_answer({"status": "ok"}), "ok"),
        (json_answer({"status": "parked"}), "warning"),
        (Answer(302, b"", {"Location": "https://elsewhere.example.com/"}), "warning"),
        (Answer(200, b"<html>Welcome</html>"), "warning"),
        (Answer(502), "warning"),
    ],
)
def test_a_public_address_that_does_not_lead_here_is_found(
    found: Any, settings: Any, answer: Answer, level: str
) -> None:
    with in_thread(Site(answer)) as settings.TEIJI_PUBLIC_URL:
        assert found("public_url").level == level
    assert found("public_url").level == "warning", "nobody is there any more"


def test_a_backup_that_is_too_old_is_found(found: Any) -> None:
    assert found("backup").said == "none was ever made"
    row, now = own_installation(), database_now()
    for hours, level in ((30, "warning"), (5, "ok")):
        at = now - timedelta(hours=hours)
        history.record("backed_up", row, by=None, now=at, unit_path="")
        assert (found("backup").level, found("backup").said) == (
            level, f"the latest is {hours} hours old",
        )  # fmt: skip


def test_old_zone_data_and_a_zone_that_is_gone_are_found(
    world: Any, found: Any, monkeypatch: Any
) -> None:
    assert found("zone_data").level == "ok"
    monkeypatch.setattr(machine, "version", lambda name: "2019.3")
    assert found("zone_data").level == "warning"
    Unit.objects.filter(code="south").update(zone="Asia/Atlantis")
    assert found("zones").said == "not known: Asia/Atlantis"


def test_it_is_found_that_nobody_is_told_of_trouble(world: Any, found: Any, settings: Any) -> None:
    settings.TEIJI_ALERT_URLS = []
    assert found("alerts").said == "nobody is told of anything"
    AlertTarget.objects.create(unit=world.hq, name="Me", member=world.people["hq"].member_or_none())
    assert found("alerts").said == "only units are told"
    settings.TEIJI_ALERT_URLS = ["discord://12345/token"]
    assert found("alerts").level == "ok"


def test_a_place_of_the_operators_that_could_not_be_told_is_found(
    world: Any, found: Any, settings: Any
) -> None:
    settings.TEIJI_ALERT_URLS = ["discord://12345/token"]
    now = database_now()
    notice = Notice.objects.create(kind="failed", unit_path="", title="Failed", made_at=now)
    failed = Telling.objects.create(
        notice=notice, operator=0, to="TEIJI_ALERT_URLS 1", state="failed", why="It refused.",
        next_try_at=now,
    )  # fmt: skip
    assert found("alerts").level == "warning"
    assert (
        found("alerts").said == "TEIJI_ALERT_URLS 1 was not told within the last day: It refused."
    )
    Telling.objects.filter(pk=failed.pk).update(next_try_at=now - timedelta(days=2))
    assert found("alerts").level == "ok"


def test_unsafe_settings_of_production_are_found(found: Any, settings: Any) -> None:
    assert "the profile is" in found("configuration").said
    with override_settings(TEIJI_SECRET_KEYS=[], PRODUCTION=True):
        said = found("configuration")
    assert said.level == "error"
    assert "teiji.E002" in said.said
    assert "Set one key." in said.advice
