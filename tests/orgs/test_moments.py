"""The one formatter of moments, and that nobody else formats one."""

import ast
import re
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from django.utils import translation

from orgs.moments import clock, day, exact, time_of_day, written

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 22, 15, 0, 5, 120_000, tzinfo=UTC)

# Written for machines: what reads it prescribes the form.
FOR_MACHINES = {
    "channels/adapters/solapi_signature.py",
    "channels/people/dates.py",  # a cell of a sheet, as its reader writes it
    "config/backup/fencing.py",  # SQLite's own form
    "config/backup/making.py",  # the name of a file
    "schedules/shown/calendar/icalendar.py",
}
CODES = re.compile(r"%[HIMSpXc]|%-[HIMS]")
IN_A_TEMPLATE = re.compile(
    r"""\|(?:time\b|date\b(?!:["'](?:m-d|Y-m-d|Y-m-d \(D\)|YEAR_MONTH_FORMAT|c)["']))"""
)
FORMATTERS = {
    "strftime", "date_format", "time_format", "format_date", "format_datetime", "format_time",
    "ctime", "naturaltime", "localize",
}  # fmt: skip
# In a message, as people of the room's language write it.
IN_MESSAGES = {"schedules/placeholders.py": {"format_date", "format_time"}}


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "2026-11-23 (Mon) 00:00:05 Asia/Seoul"), ("ko", "2026-11-23 (월) 00:00:05 Asia/Seoul"),
     ("zh-hant", "2026-11-23 (週一) 00:00:05 Asia/Seoul"),
     ("zh-hans", "2026-11-23 (周一) 00:00:05 Asia/Seoul")],
)  # fmt: skip
def test_a_moment_is_written_with_its_weekday_and_its_zone(language, words):
    with translation.override(language):
        assert written(AT, "Asia/Seoul") == words


def test_its_parts_are_written_alike():
    assert exact(AT, "Asia/Seoul") == "2026-11-23 (Mon) 00:00:05.120 Asia/Seoul"
    assert day(AT, "America/New_York") == "2026-11-22 (Sun)"
    assert clock(AT, "America/New_York") == "10:00:05"
    assert time_of_day(time(9)) == "09:00"


def sources():
    for app in ("config", "orgs", "logs", "channels", "schedules"):
        for path in (ROOT / app).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if "migrations" not in path.parts and name not in FOR_MACHINES | {"orgs/moments.py"}:
                yield name, ast.parse(path.read_text())


def formats_a_clock(node):
    """By a method or function that formats, or by codes in a string that formats."""
    if isinstance(node, ast.FormattedValue) and node.format_spec:
        return bool(CODES.search(ast.unparse(node.format_spec)))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(re.search(r"\{\w*:[^}]*" + f"(?:{CODES.pattern})", node.value))
    return False


def formatters_called(tree):
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return named & FORMATTERS


def test_nobody_else_formats_a_moment():
    found = []
    for name, tree in sources():
        found += [(name, word) for word in formatters_called(tree) - IN_MESSAGES.get(name, set())]
        found += [(name, node.lineno) for node in ast.walk(tree) if formats_a_clock(node)]
    assert found == []


def test_no_script_writes_a_clock_of_the_browsers_zone():
    scripts = {path.name: path.read_text() for path in (ROOT / "static/teiji").glob("*.js")}
    assert scripts
    assert [
        name for name, text in scripts.items() if re.search(r"toLocale(Time|Date)?String", text)
    ] == []


def test_those_for_machines_still_do():
    """What no longer formats leaves the list."""
    for name in FOR_MACHINES:
        tree = ast.parse((ROOT / name).read_text())
        assert formatters_called(tree) or any(map(formats_a_clock, ast.walk(tree))), name


def test_no_template_formats_a_clock():
    """Days alone and what a script reads are as they are; a clock has its zone beside it."""
    found = []
    for path in (ROOT / "templates").rglob("*.*"):
        if IN_A_TEMPLATE.search(path.read_text()):
            found.append(path.relative_to(ROOT).as_posix())
    assert found == []
