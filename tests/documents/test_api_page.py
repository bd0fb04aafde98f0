"""docs/api.md: every block of code on it is run against a server, and what it says of a request
stands in the API's own document."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image as Picture

from channels import outgoing
from channels.models import Account, Image, Recipient
from orgs.clock import database_now
from schedules.models import Delivery, MessageTemplate, Run, Schedule
from tests.documents.reading import ROOT, block, blocks
from tests.schedules.api.calling import Caller, caller

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "api.md"
TEXT = (ROOT / "docs" / PAGE).read_text()
BESIDE = "".join(
    (ROOT / "docs" / name).read_text() for name in ("webhooks.md", "notices.md", "feeds.md")
)
RUN = {"token", "schedule", "image", "everything", "account", "people", "import", "template",
       "unfilled", "verdict", "problem", "keyed", "again", "pages", "rows", "shift"}  # fmt: skip
NEEDS_CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


def test_every_block_of_the_page_is_run_here() -> None:
    assert sorted(found.name for found in blocks(PAGE)) == sorted(RUN)


def run(name: str, folder: Path) -> str:
    return shell(block(PAGE, name), folder)


def shell(text: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=os.environ,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_header_of_a_token_is_what_the_page_says(surroundings) -> None:
    name, value = block(PAGE, "token").strip().split(": ")
    headers = {name: value.replace("tj_…", surroundings["TOKEN"])}
    assert surroundings["TOKEN"].startswith("tj_")
    assert Client().get("/api/v1/schedules", headers=headers).status_code == 200


@NEEDS_CURL
def test_the_example_in_curl_runs(surroundings, tmp_path) -> None:
    run("schedule", tmp_path)
    schedule = Schedule.objects.get()
    assert (schedule.state, schedule.timing_kind) == ("paused", "weekly")


@NEEDS_CURL
def test_the_image_goes_up(surroundings, settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    Picture.new("RGB", (40, 30), "red").save(tmp_path / "poster.png")
    made = json.loads(run("image", tmp_path))
    assert Image.objects.get().pk == made["id"]


def test_the_example_in_python_runs(surroundings) -> None:
    exec(compile(block(PAGE, "everything"), PAGE, "exec"), {})
    assert Schedule.objects.get().state == "cancelled"


def body(name: str) -> Any:
    return json.loads(block(PAGE, name))


@pytest.fixture
def api(world) -> Caller:
    return caller(world.people["hq"])


def test_the_account_is_added(api: Caller, monkeypatch) -> None:
    monkeypatch.setattr(outgoing, "_system_lookup", lambda host: ["93.184.216.34"])
    answer = api.post("/accounts", body("account"))
    assert answer.status_code == 201, answer.content.decode()
    assert answer.json()["channel"] == "webhook"


def test_the_people_are_added(api: Caller, line_account: Account) -> None:
    asked = body("people")
    for item in asked["items"]:
        item["account"] = line_account.pk
    answer = api.post("/recipients/batch", asked)
    assert [row["status"] for row in answer.json()["results"]] == [201]
    assert Recipient.objects.get().name == "Ann"


@NEEDS_CURL
def test_the_table_is_imported(surroundings, settings, tmp_path, line_account, monkeypatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setenv("ACCOUNT", str(line_account.pk))
    (tmp_path / "people.csv").write_text(f"Name,Address\nAnn,U{1:032x}\n")
    run("import", tmp_path)
    assert Recipient.objects.get().name == "Ann"


def test_the_template_is_kept(api: Caller) -> None:
    assert api.post("/templates", body("template")).status_code == 201
    assert MessageTemplate.objects.get().name == "Holiday hours"


def test_what_has_no_value_is_refused_so(world, api: Caller) -> None:
    asked = {"title": "Hours", "rooms": [world.room.pk], "text": "We close at {closing}.",
             "timing_kind": "now"}  # fmt: skip
    answer = api.post("/schedules", asked)
    assert answer.json()["errors"] == body("unfilled")


def test_the_verdict_is_taken(world, api: Caller, doubtful) -> None:
    Account.objects.update(config={"honours_key": "no"})
    row = doubtful()
    asked = body("verdict")
    seen = api.get(f"/not-confirmed/{row.pk}").json()["seen"]
    assert re.sub(r"\d", "0", asked["rows"][0]["seen"]) == re.sub(r"\d", "0", seen)
    asked["rows"] = [{"id": row.pk, "seen": seen}]
    assert api.post("/not-confirmed/resolve", asked).json()["decided"] == [row.pk]
    assert Delivery.objects.get().state == "sent"


def test_the_shift_is_looked_at(made, api: Caller) -> None:
    asked = body("shift")
    asked["items"] = [{"id": made["id"], "revision": made["revision"]}]
    [told] = api.post("/schedules/batch/shift", asked).json()["results"]
    assert told["status"] == 200
    assert told["due_at"].endswith("T00:30:00Z")  # half past eight in Taipei
    assert api.get(f"/schedules/{made['id']}").json() == made


def test_the_problem_looks_like_that(api: Caller) -> None:
    asked = {"title": "Nowhere", "rooms": [], "text": "Hello", "timing_kind": "now"}
    assert api.post("/schedules", asked).json() == body("problem")


def functions(name: str) -> dict[str, Any]:
    """What a block defines that builds on the example in Python."""
    names: dict[str, Any] = {}
    before, example, _steps = block(PAGE, "everything").partition("\nschedule = call(")
    assert example
    for text in (before, block(PAGE, name)):
        exec(compile(text, PAGE, "exec"), names)
    return names


@pytest.fixture
def made(surroundings, world, monkeypatch) -> dict[str, Any]:
    """A schedule that is there."""
    asked = {"title": "Notice", "rooms": [int(surroundings["ROOM"])], "text": "Hello",
             "timing_kind": "daily", "time": "09:00"}  # fmt: skip
    found: dict[str, Any] = caller(world.people["xinyi"]).post("/schedules", asked).json()
    monkeypatch.setenv("SCHEDULE", str(found["id"]))
    return found


@NEEDS_CURL
def test_what_curl_repeats_is_carried_out_once(made, tmp_path) -> None:
    first, second = (json.loads(run("keyed", tmp_path)) for _twice in range(2))
    assert first == second
    assert Run.objects.get().pk == first["id"]


def test_what_python_repeats_is_carried_out_once(made, monkeypatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    once, urlopen, answers = functions("again")["once"], urllib.request.urlopen, []

    def loses_the_first(*args: Any, **kwargs: Any) -> Any:
        answers.append(urlopen(*args, **kwargs))
        if len(answers) == 1:
            answers[0].close()
            raise urllib.error.URLError("The line broke.")
        return answers[-1]

    monkeypatch.setattr(urllib.request, "urlopen", loses_the_first)
    assert once(f"/schedules/{made['id']}/execute")["id"] == Run.objects.get().pk
    assert len(answers) == 2


def test_what_is_refused_is_not_repeated(surroundings) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        functions("again")["once"]("/schedules/999999/execute")
    assert json.load(refused.value)["status"] == 404


@pytest.fixture
def failed(world, logged) -> list[int]:
    """More of them than a page holds."""
    now = database_now()
    rows = [logged(world.xinyi, now - number * timedelta(hours=1), "failed") for number in range(3)]
    Run.objects.update(content={"text": "Hello", "images": [], "order": "text_first"})
    return [row.pk for row in rows]


@NEEDS_CURL
def test_curl_reads_a_list_to_its_end(surroundings, failed, tmp_path) -> None:
    text = block(PAGE, "pages").replace("page_size=200", "page_size=2")
    lines = shell(text, tmp_path).splitlines()
    assert [row["id"] for line in lines for row in json.loads(line)["results"]] == failed


def test_python_reads_a_list_to_its_end(surroundings, failed) -> None:
    rows = functions("rows")["rows"]("/logs?state=failed&page_size=2")
    assert [row["id"] for row in rows] == failed


REQUEST = re.compile(r"((?:`[A-Z]+`, )*)`([A-Z]+) (/[^`?]+)(\?[^`]*)?`")


@pytest.fixture(scope="module")
def operations() -> dict[tuple[str, str], Any]:
    """By method and path (its parts that vary as {}), what the API's document says."""
    paths = json.loads(Client().get("/api/v1/openapi.json").content)["paths"]
    return {
        (method.upper(), pattern(path.removeprefix("/api/v1"))): operation
        for path, whole in paths.items()
        for method, operation in whole.items()
        if method in ("get", "post", "put", "patch", "delete")
    }


def pattern(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def named(text: str) -> list[tuple[str, str, str]]:
    """(method, path, query) of each request that a text names."""
    return [
        (method, pattern(path.removeprefix("/api/v1")), query)
        for others, last, path, query in REQUEST.findall(text)
        for method in [*re.findall("[A-Z]+", others), last]
    ]


def parameters(operation: Any) -> set[str]:
    return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}


def test_every_request_that_a_document_names_is_there_with_its_query(operations) -> None:
    for path in ROOT.glob("docs/**/*.md"):
        for method, address, query in named(path.read_text()):
            if "/pull/" in address or address.startswith(("/your", "/healthz", "/readyz")):
                continue  # not of this API
            assert (method, address) in operations, path
            asked = set(re.findall(r"[?&](\w+)=", query))
            assert asked <= parameters(operations[method, address]), (path, method, address)


def test_every_operation_stands_on_a_page(operations) -> None:

    told = {(method, address) for method, address, _query in named(TEXT + BESIDE)}
    assert sorted(operations.keys() - told) == []


def test_filters_and_answers_are_those_of_the_document(operations) -> None:
    both = TEXT + BESIDE
    rows = [line for line in both.splitlines() if line.startswith("| `") and " /" in line]
    assert len(rows) > 60
    for line in rows:
        requests = named(line.split(" | ")[0])
        filters = re.search(r"filters? ((?:`\w+`(?: \([^)]*\))?(?:, )?)+)", line)
        codes = set(re.findall(r"\b(2\d\d)\b", line.rsplit(" | ", 1)[-1]))
        told = set(re.findall(r"`(\w+)`", filters[1])) if filters else set()
        taken = [parameters(operations[m, a]) for m, a, _q in requests if m == "GET"]
        assert told <= set().union(*taken), line
        known = {code for m, a, _q in requests for code in operations[m, a]["responses"]}
        assert codes <= known, line
