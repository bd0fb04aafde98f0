"""Every command line of the documents is understood by what it calls, and carried out where that
can be done without another machine."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery
from django.core.management import get_commands, load_command_class
from granian.cli import cli as granian

from channels.models import Room
from logs.models import Tally
from orgs.clock import database_now
from orgs.models import Member, Token, User
from orgs.reach import Role
from schedules.models import QuartersCounted
from scripts import translations
from tests.conftest import World
from tests.documents.reading import ROOT, commands, words_of
from tests.manage import Said

pytestmark = pytest.mark.django_db

PYTHONS = ("python", ".venv/bin/python", "python3")


def manage_words(line: str) -> list[str]:
    """Those after manage.py; none, if it is another command."""
    words = words_of(line)
    if words and words[0] in PYTHONS:
        words.pop(0)
    return words[1:] if words[:1] == ["manage.py"] else []


OURS = sorted({(page, line) for page, line in commands() if manage_words(line)})
OTHERS = sorted({(page, line) for page, line in commands() if not manage_words(line)})


def short(given: Any) -> str:
    return str(given)[:60]


@pytest.mark.parametrize(("page", "line"), OURS, ids=short)
def test_a_management_command_takes_what_is_written_there(page: str, line: str) -> None:
    name, *given = manage_words(line)
    found = load_command_class(get_commands()[name], name)
    if given:  # else it may be its mere name, in a sentence
        found.create_parser("manage.py", name).parse_args(given)


def takes_docker(words: list[str]) -> None:
    """docker compose, as deploy/compose.yaml has its services."""
    assert words[1] == "compose"
    file = ROOT / words[words.index("--file") + 1]
    services = yaml.safe_load(file.read_text())["services"]
    if "exec" in words:
        service, *inner = words[words.index("exec") + 1 :]
        assert service in services
        assert inner[2] in get_commands()


def takes_python(words: list[str]) -> None:
    """A script of ours, or pytest."""
    if words[1:3] == ["-m", "pytest"]:
        named = [word for word in words[3:] if word.startswith("tests/")]
        assert all((ROOT / word).exists() for word in named)
    elif words[1] == "scripts/translations.py":
        assert f"translations.py {words[2]}" in (translations.__doc__ or "")
    elif words[1] != "-m":
        assert (ROOT / words[1]).exists()


def takes_sh(words: list[str]) -> None:
    assert (ROOT / words[1]).read_text().startswith("#!/bin/sh")


def takes_cp(words: list[str]) -> None:
    assert (ROOT / words[1]).exists()
    assert (ROOT / words[2]).parent.exists()


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "docker": takes_docker, "sh": takes_sh, "cp": takes_cp,
    **dict.fromkeys(PYTHONS, takes_python),
}  # fmt: skip
CALLED = [
    (page, line) for page, line in OTHERS if words_of(line)[:1] and words_of(line)[0] in PROGRAMS
]


@pytest.mark.parametrize(("page", "line"), CALLED, ids=short)
def test_what_else_is_called_is_there(page: str, line: str) -> None:
    words = words_of(line)
    PROGRAMS[words[0]](words)


def test_no_kind_of_command_is_passed_over() -> None:
    assert (len(OURS), len(CALLED)) > (40, 20)
    known = {words_of(line)[0] for _page, line in CALLED}
    assert known == PROGRAMS.keys() - {"python"}


def processes() -> list[list[str]]:
    """The commands in the table of processes."""
    rows = (ROOT / "docs" / "operations.md").read_text().splitlines()
    cells = [row.split("|")[2].strip(" `") for row in rows if row.startswith("| ")]
    return [shlex.split(cell) for cell in cells if cell.startswith(("granian ", "celery "))]


def test_the_processes_start_as_their_table_says() -> None:
    web, worker, beat = processes()
    options = granian.make_context("granian", web[1:])
    assert options.params["app"] == "config.wsgi:application"
    for line, name in ((worker, "worker"), (beat, "beat")):
        assert celery.make_context("celery", line[1:]).params["app"]
        assert line[-1] == name and name in celery.commands


# Of the page of operations, what cannot be carried out here: why.
ELSEWHERE = {
    "import_legacy": "it reads the database or the files of another system",
    "send_test": "it waits for a worker",
    "backup": "it reads and writes where an operator's disks are",
    "restore": "it needs an installation that is empty",
    "bench": "it measures for minutes",
    "check": "it looks at the settings of production",
    "migrate": "it is how this database came about",
    "collectstatic": "it writes into the folder of the web server",
    "createsuperuser": "it asks a person",
    "dispatch": "it does not end",
}
HERE = sorted({
    (page, line)
    for page, line in OURS
    if page == "docs/operations.md" and manage_words(line)[0] not in ELSEWHERE
})  # fmt: skip


@pytest.fixture
def installation(world: World, settings: Any, tmp_path: Path) -> World:
    """One in which there is what the page's examples name."""
    settings.TEIJI_ARCHIVE_ROOT = tmp_path
    now = database_now()
    QuartersCounted.objects.create(pk=1, until=now, turned_at=now)
    Tally.objects.create(pk=1, counted_id=0, seen_id=0, seen_at=now)
    for name, unit in (("anna", world.hq), ("kim", world.taipei)):
        user = User.objects.create(username=name, is_staff=True)
        Member.objects.create(user=user, unit=unit, role=Role.MANAGER)
    Token.issue(user=User.objects.get(username="kim"), name="till", scopes=["read"])
    Room.objects.create(
        pk=12, unit=world.xinyi, account=world.sandbox, name="Twelve", address="twelve"
    )
    return world


@pytest.mark.parametrize(("page", "line"), HERE, ids=short)
def test_a_command_of_the_operations_page_is_carried_out(
    page: str, line: str, installation: World, manage: Callable[..., Said]
) -> None:
    words = manage_words(line)
    if "--lift" in words:
        manage("fence", "--up", "to be lifted")
    said = manage(*words)
    assert said.status in (0, 1) or words[0] == "doctor", said.err or said.out
