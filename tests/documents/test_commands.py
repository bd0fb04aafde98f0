"""Every command line of the documents is understood by what it calls (test_installation.py carries
those of the operations out)."""

import shlex
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery
from django.core.management import get_commands, load_command_class
from granian.cli import cli as granian

from scripts import translations
from tests.documents.reading import ROOT, commands, words_of

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


def parsers_of(name: str) -> Iterator[ArgumentParser]:
    """That of a command, or those of its parts."""
    app = get_commands()[name]
    parser = load_command_class(app, name).create_parser("manage.py", name)
    parts = [act for act in parser._actions if isinstance(act, _SubParsersAction)]
    yield from [part for act in parts for part in act.choices.values()] or [parser]


def test_whatever_a_command_of_ours_says_a_program_can_read() -> None:
    ours = [name for name, app in get_commands().items() if app in ("config", "schedules")]
    assert len(ours) > 15
    parsers = [parser for name in ours for parser in parsers_of(name)]
    assert [p.prog for p in parsers if "--json" not in p._option_string_actions] == []


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
