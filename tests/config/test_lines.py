"""Lines of the log: one each, with the request's id, and none that was made up outside."""

import json
import logging
import os
import subprocess
import sys

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.lines import Console, Json, Named, request_id
from config.middleware import RequestIdMiddleware


def record(message: str, *args: object, broken: bool = False) -> logging.LogRecord:
    trouble = None
    if broken:
        try:
            raise ValueError("line one\n2027-01-01T00:00:00 INFO forged")
        except ValueError:
            trouble = sys.exc_info()
    made = logging.LogRecord("teiji.test", logging.WARNING, "f.py", 1, message, args, trouble)
    Named().filter(made)
    return made


def test_what_came_from_outside_cannot_begin_a_line() -> None:
    line = Console().format(record("room %s", "x\n2027-01-01 INFO forged\r\x1b[2J\u2028y"))
    assert len(line.splitlines()) == 1
    assert r"x\n2027-01-01 INFO forged\r\x1b[2J\u2028y" in line


def test_a_traceback_stands_below_its_line_and_forges_none() -> None:
    first, *rest = Console().format(record("it broke", broken=True)).splitlines()
    assert first.endswith("it broke")
    assert rest and all(line.startswith("    ") for line in rest)


def test_what_people_write_is_shown_as_it_is() -> None:
    assert Console().format(record("방 “%s”", "會員群組 😊")).endswith("방 “會員群組 😊”")


def test_json_is_one_object_a_line() -> None:
    line = Json().format(record("it broke\nhere", broken=True))
    assert "\n" not in line
    facts = json.loads(line)
    assert (facts["level"], facts["logger"], facts["message"], facts["request"]) == (
        "warning", "teiji.test", "it broke\nhere", "-",
    )  # fmt: skip
    assert "ValueError" in facts["traceback"]
    assert facts["at"].endswith("+00:00")


def answer(**headers: str) -> tuple[str, str]:
    """The id in the answer, and that in a line logged meanwhile."""
    seen = []

    def view(request):
        seen.append(json.loads(Json().format(record("hello")))["request"])
        return HttpResponse()

    response = RequestIdMiddleware(view)(RequestFactory().get("/", headers=headers))
    return response["X-Request-ID"], seen[0]


def test_a_request_has_an_id_in_its_answer_and_in_its_lines() -> None:
    first, second = answer(), answer()
    assert first[0] == first[1] != second[0]
    assert request_id.get() == ""


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [("from-whoever-calls_1", True), ("x\ny-forged", False), ("with space", False),
     ("short", False), ("a" * 64, True), ("a" * 65, False), ("관리자의-아이디", False)],
)  # fmt: skip
def test_it_may_be_given_where_it_is_no_more_than_a_name(given: str, is_taken: bool) -> None:
    name, logged = answer(**{"X-Request-ID": given})
    assert (name == given) == is_taken
    assert name == logged


def test_a_line_about_what_came_of_a_request_has_its_id() -> None:
    def line(**extra: str) -> str:
        made = logging.getLogger("teiji").makeRecord(
            "teiji", logging.ERROR, "f.py", 1, "not sent", (), None, extra=extra
        )
        Named().filter(made)
        return json.loads(Json().format(made))["request"]

    assert line(came_of="registered-it") == "registered-it"
    assert line(came_of="") == line() == "-"


def test_every_page_and_error_has_one(client, db) -> None:
    for path in ("/healthz", "/nowhere/", "/api/v1/schedules"):
        assert client.get(path)["X-Request-ID"]


@pytest.mark.parametrize("form", ["console", "json"])
def test_it_goes_to_a_file_that_may_be_turned_over(form: str, tmp_path) -> None:
    log, script = tmp_path / "teiji.log", (
        "import django, logging, os; django.setup(); log = logging.getLogger('teiji.test')\n"
        "log.warning('first'); os.rename(os.environ['LOG'], os.environ['LOG'] + '.1')\n"
        "log.warning('second')"
    )  # fmt: skip
    own = {**os.environ, "TEIJI_LOG": f"{form}:{log}", "LOG": str(log),
           "DJANGO_SETTINGS_MODULE": "config.settings"}  # fmt: skip
    subprocess.run([sys.executable, "-c", script], env=own, check=True, timeout=60)
    assert "first" in (tmp_path / "teiji.log.1").read_text()
    assert "second" in log.read_text() and "first" not in log.read_text()


@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize(
    "place", ["/dev/full", "{folder}/none/teiji.log", "{folder}/file/teiji.log"]
)
def test_a_file_that_cannot_be_written_stops_nothing_and_loses_no_line(
    form: str, place: str, tmp_path
) -> None:
    (tmp_path / "file").touch()
    log, script = place.format(folder=tmp_path), (
        "import django, logging, os; django.setup(); log = logging.getLogger('teiji.test')\n"
        "log.warning('first'); log.warning('second'); print('went on')"
    )  # fmt: skip
    own = {**os.environ, "TEIJI_LOG": f"{form}:{log}", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=own, check=True, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.stdout == "went on\n"
    said, first, second = done.stderr.splitlines()
    assert f"{log} cannot be written" in said
    assert "first" in first and "second" in second


def test_a_file_is_written_again_as_soon_as_it_can_be(tmp_path) -> None:
    folder = tmp_path / "logs"
    log, script = folder / "teiji.log", (
        "import django, logging, os; django.setup(); log = logging.getLogger('teiji.test')\n"
        "log.warning('first'); os.mkdir(os.environ['LOGS']); log.warning('second')\n"
        "os.rename(os.environ['LOGS'], os.environ['LOGS'] + '.1'); log.warning('third')"
    )  # fmt: skip
    own = {**os.environ, "TEIJI_LOG": f"console:{log}", "LOGS": str(folder),
           "DJANGO_SETTINGS_MODULE": "config.settings"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script], env=own, check=True, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert "second" in (tmp_path / "logs.1" / "teiji.log").read_text()
    said, first, third = done.stderr.splitlines()
    assert "cannot be written" in said and "first" in first and "third" in third


def test_another_form_is_refused() -> None:
    own = {**os.environ, "TEIJI_LOG": "xml", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"], env=own, check=False,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "TEIJI_LOG begins with console or json." in done.stderr
