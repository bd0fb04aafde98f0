"""Every system check of ours: silent on good settings, and saying its id on bad ones."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import Tags, run_checks

from config import checks

BAD = [
    ("teiji.E001", "TEIJI_SECRET_KEYS", ["not a key"]),
    ("teiji.E002", "TEIJI_SECRET_KEYS", []),
    ("teiji.E003", "TEIJI_WIRE_SECONDS", 15.0),
    ("teiji.E004", "TEIJI_HORIZON_SECONDS", 2.0),
    ("teiji.E005", "TEIJI_RETRY_DELAYS", []),
    ("teiji.E005", "TEIJI_RETRY_DELAYS", [60.0, 0.5]),
    ("teiji.E006", "TEIJI_PUBLIC_URL", "https://"),
    ("teiji.E006", "TEIJI_LINE_API_HOST", "ftp://api.line.me"),
    ("teiji.E007", "TEIJI_OUTGOING_ALLOW", ["10.1.2.3/24"]),
    ("teiji.W001", "TEIJI_LEAD_SECONDS", 0.9),
    ("teiji.W002", "TEIJI_PUBLIC_URL", "http://teiji.example.com"),
    ("teiji.W006", "TEIJI_ALERT_URLS", ["json://127.0.0.1/alerts"]),
    ("teiji.W006", "TEIJI_ALERT_URLS", ["discord://12345"]),
    ("teiji.W004", "TEIJI_BROKER_URL", "filesystem://"),
]


@pytest.fixture
def production(settings: Any, monkeypatch: Any) -> Any:
    settings.TEIJI_PUBLIC_URL = "https://teiji.example.com"
    settings.TEIJI_BROKER_URL = "redis://127.0.0.1:6379/0"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    return settings


def our_findings() -> dict[str, Any]:
    found = run_checks(include_deployment_checks=True)
    return {message.id: message for message in found if str(message.id).startswith("teiji.")}


def test_good_settings_are_found_good(production: Any) -> None:
    assert our_findings() == {}


@pytest.mark.parametrize(("id_", "name", "value"), BAD)
def test_a_bad_setting_is_found_and_the_finding_says_what_to_do(
    production: Any, id_: str, name: str, value: Any
) -> None:
    setattr(production, name, value)
    found = our_findings()
    assert list(found) == [id_]
    assert found[id_].hint


@pytest.mark.django_db
@pytest.mark.parametrize(("encoding", "ids"), [("UTF8", []), ("SQL_ASCII", ["teiji.E008"])])
def test_migrate_asks_whether_the_database_can_keep_every_language(
    monkeypatch: Any, encoding: str, ids: list[str]
) -> None:
    line = SimpleNamespace(parameter_status={"server_encoding": encoding}.get)
    server = SimpleNamespace(vendor="postgresql", connection=SimpleNamespace(info=line))
    server.ensure_connection = lambda: None
    monkeypatch.setattr(checks, "connections", {"default": server})
    found = run_checks(tags=[Tags.database], databases=["default"])
    assert [message.id for message in found if message.id.startswith("teiji.")] == ids


@pytest.mark.django_db
def test_the_database_of_the_tests_can_keep_every_language() -> None:
    assert checks.encodings(None, databases=["default"]) == []


def test_sqlite_is_not_for_production(production: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(production.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert list(our_findings()) == ["teiji.W003"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("TEIJI_DATABASE_URL", "postgre://teiji:s3cret@127.0.0.1/teiji", "is no URL like"),
        ("TEIJI_DATABASE_URL", "nonsense-s3cret", "is no URL like"),
        ("TEIJI_DATABASE_URL", "postgres://teiji:s3cret@127.0.0.1:port/teiji", "is no URL like"),
        ("TEIJI_IN_FLIGHT", "s3cret", "cannot be read"),
        ("TEIJI_RETRY_DELAYS", "60,s3cret", "cannot be read"),
        ("TEIJI_PROFILE", "production", "Set TEIJI_SECRET_KEY."),
        ("TEIJI_DATA_DIR", "/proc/none", "cannot be made"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_in_one_line_and_not_shown(
    name: str, value: str, why: str
) -> None:
    said = refused({name: value})
    assert said.count("\n") == 1 and "s3cret" not in said
    assert said.startswith("Settings: ") and why in said
    assert name in said or value == "production"


def test_a_key_left_empty_is_as_good_as_none() -> None:
    """So an example that was copied and not filled in does not get as far as a web server."""
    said = refused({"TEIJI_PROFILE": "production", "TEIJI_SECRET_KEY": ""})
    assert said.startswith("Settings: Set TEIJI_SECRET_KEY.")


def refused(variables: dict[str, str]) -> str:
    """What a command says of such settings on standard error."""
    others = {key: kept for key, kept in os.environ.items() if not key.startswith("TEIJI_")}
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"], cwd=settings.BASE_DIR, check=False,
        env={**others, "TEIJI_DATA_DIR": str(settings.TEIJI_DATA_DIR), **variables},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr
