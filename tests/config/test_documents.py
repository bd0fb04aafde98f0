"""The documents and the files for deployment say what is so."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

ROOT = Path(settings.BASE_DIR)
COMPOSE = ROOT / "deploy" / "compose.yaml"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAME = re.compile(r"TEIJI_[A-Z_]+")


def documented() -> list[str]:
    rows = (ROOT / "docs" / "settings.md").read_text().splitlines()
    return [NAME.search(row).group() for row in rows if row.startswith("| `TEIJI_")]  # type: ignore[union-attr]


def test_the_table_of_settings_names_those_that_there_are() -> None:
    code = (ROOT / "config" / "settings.py").read_text()
    asked = re.findall(r"\benv(?:\.\w+)?\(\s*\"(TEIJI_[A-Z_]+)\"", code)
    assert sorted(documented()) == sorted(set(asked))


def test_there_are_few_settings() -> None:
    assert len(documented()) <= 35


OF_THE_TESTS = (
    "TEIJI_TEST_DATABASE_URL", "TEIJI_TEST_REDIS_URL", "TEIJI_TEST_SLOW", "TEIJI_TEST_SEARCH"
)  # fmt: skip


def test_no_document_or_file_for_deployment_names_a_setting_that_is_not_there() -> None:
    known = {*documented(), *OF_THE_TESTS}
    files = [*DOCUMENTS, COMPOSE, ROOT / "deploy" / ".env.example", ROOT / "deploy" / "Dockerfile"]
    named = {name for path in files for name in NAME.findall(path.read_text())}
    assert {name for name in named - known if not name.endswith("_")} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_two_commands_of_the_readme_are_there() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^    sh (\S+)$", readme, re.MULTILINE)
    assert commands == ["scripts/demo", "scripts/test"]
    assert all((ROOT / command).read_text().startswith("#!/bin/sh") for command in commands)


def test_every_management_command_in_a_document_exists() -> None:
    texts = [path.read_text() for path in DOCUMENTS]
    named = {name for text in texts for name in re.findall(r"manage\.py ([a-z_]+)", text)}
    assert named - get_commands().keys() == set()


RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_every_test_that_a_promise_names_is_there() -> None:
    named = set(TEST.findall(RELIABILITY))
    assert len(named) > 40
    assert [
        f"{path}::{name}"
        for path, name in sorted(named)
        if not re.search(rf"^def {name}\(", (ROOT / "tests" / path).read_text(), re.MULTILINE)
    ] == []


def test_every_fault_has_a_test_and_every_test_of_faults_stands_beside_its_fault() -> None:
    _, *tables = re.split(r"^\| fault .*\n\| [-| ]+\n", RELIABILITY, flags=re.MULTILINE)
    rows = [row for table in tables for row in table.partition("\n\n")[0].splitlines()]
    assert len(rows) > 30
    assert [row for row in rows if not TEST.search(row)] == []
    of_ours = {path.name for path in ROOT.glob("tests/faults/test_*.py")}
    named = {Path(path).name for path, _ in TEST.findall(RELIABILITY) if path.startswith("faults/")}
    assert of_ours - named == {"test_checker.py", "test_fence.py"}  # of the suite itself, a bug


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return read


def test_compose_has_every_process(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "beat", "archive",
                             "backup"}  # fmt: skip
    assert services["worker"]["deploy"]["replicas"] == 2
    for name in ("web", "worker", "beat"):
        waits = services[name]["depends_on"]["migrate"]["condition"]
        assert waits == "service_completed_successfully"


def test_compose_pins_every_image(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    froms = re.findall(r"^FROM (\S+)", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert [image for image in images + froms if not re.search(r":\d", image)] == []


def test_our_containers_cannot_write_to_themselves_and_are_watched(compose: dict[str, Any]) -> None:
    for name in ("migrate", "web", "worker", "beat"):
        service = compose["services"][name]
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert name == "migrate" or service["healthcheck"]["test"][0] == "CMD", name
    assert "\nUSER teiji\n" in (ROOT / "deploy" / "Dockerfile").read_text()


def test_what_compose_runs_is_there(compose: dict[str, Any]) -> None:
    commands = [service.get("command", []) for service in compose["services"].values()]
    checks = [
        s["healthcheck"]["test"][1:] for s in compose["services"].values() if "healthcheck" in s
    ]
    words = [words for words in commands + checks if words and words[0] == "python"]
    scripts = {line[1] for line in words if line[1] != "-c"}
    assert scripts == {"manage.py", "deploy/heartbeat.py"}
    assert all((ROOT / script).exists() for script in scripts)
    assert compose["services"]["migrate"]["command"][2] in get_commands()


def test_the_example_of_an_environment_has_what_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text()))
    example = (ROOT / "deploy" / ".env.example").read_text()
    assert asked <= set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_the_timer_starts_a_backup_that_can_be_made() -> None:
    folder = ROOT / "deploy" / "systemd"
    service = (folder / "teiji-backup.service").read_text()
    assert "\nPersistent=true\n" in (folder / "teiji-backup.timer").read_text()
    (words,) = re.findall(r"^ExecStart=\S+ manage\.py (.+)$", service, re.MULTILINE)
    name, *given = words.split()
    parser = load_command_class("config", name).create_parser("manage.py", name)
    options = parser.parse_args(given)
    assert (str(options.folder), options.keep) == ("/var/lib/teiji-backups", 14)
