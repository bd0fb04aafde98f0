"""The files in deploy/ agree with the code, with each other, and with what is promised of them."""

import grp
import os
import pwd
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from config import processes

DEPLOY = Path(settings.BASE_DIR) / "deploy"
LONGEST_STOP = 60  # seconds that a worker is given to finish (docs/operations.md)
OURS = ("migrate", "web", "worker", "beat", "archive", "backup")
UNITS = sorted(path.name for path in (DEPLOY / "systemd").glob("*.service"))


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def kubernetes() -> dict[str, dict[str, Any]]:
    rows = yaml.safe_load((DEPLOY / "kubernetes.yaml").read_text())["items"]
    return {f"{row['kind']} {row['metadata']['name']}": row for row in rows}


def pod_of(row: dict[str, Any]) -> dict[str, Any]:
    spec = row["spec"]
    if row["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return dict(spec["template"]["spec"])


def pods() -> dict[str, dict[str, Any]]:
    kinds = ("Deployment", "Job", "CronJob")
    return {name: pod_of(row) for name, row in kubernetes().items() if row["kind"] in kinds}


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / "systemd" / name)
    return parser


def commands() -> dict[str, str]:
    """Every command line, by the place in which it stands."""
    found = {
        f"compose {name}": " ".join(compose()["services"][name].get("command", [])) for name in OURS
    }
    found |= {name: " ".join(pod["containers"][0]["command"]) for name, pod in pods().items()}
    found |= {name: unit(name)["Service"]["ExecStart"] for name in UNITS}
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "")
    (own,) = re.findall(r"^CMD (\[.*\])$", lines, re.MULTILINE)
    return found | {"Dockerfile": " ".join(yaml.safe_load(own))}


@pytest.mark.parametrize("place", commands())
def test_what_is_started_exists(place: str) -> None:
    line = commands()[place]
    if not line:
        return  # as the image says
    known = [word for word in re.findall(r"manage\.py (\w+)", line) if word in get_commands()]
    programs = re.findall(r"celery -A config (?:worker|beat)|granian .*config\.wsgi:", line)
    assert len(known) + len(programs) == 1, line


@pytest.mark.parametrize("name", OURS)
def test_each_service_runs_bound_and_comes_again(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    needed = service["depends_on"]
    assert name == "migrate" or needed["migrate"] == {"condition": "service_completed_successfully"}


def test_compose_has_more_than_one_of_what_must_not_be_missing() -> None:
    services = compose()["services"]
    assert services["worker"]["deploy"]["replicas"] >= 2
    assert services["beat"]["deploy"]["replicas"] == 2
    assert services["worker"]["stop_grace_period"] == f"{LONGEST_STOP}s"
    assert services["backup"]["profiles"] == ["backup"], "it needs a key that nobody has at first"


def test_every_volume_and_secret_of_compose_is_declared() -> None:
    whole = compose()
    for name, service in whole["services"].items():
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert volumes <= set(whole["volumes"]), name
        assert set(service.get("secrets", [])) <= set(whole["secrets"]), name


def test_what_compose_asks_of_the_environment_stands_in_its_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    given = set(re.findall(r"^(\w+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert asked <= given


def test_compose_refuses_to_start_while_a_variable_of_its_example_is_left_empty() -> None:
    left = re.findall(r"^(\w+)=$", (DEPLOY / ".env.example").read_text(), re.MULTILINE)
    text = (DEPLOY / "compose.yaml").read_text()
    assert left and all(f"${{{name}:?set it in deploy/.env}}" in text for name in left)


@pytest.mark.parametrize("name", pods())
def test_each_pod_runs_bound_and_may_write_only_where_it_must(name: str) -> None:
    pod = pods()[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["name"] for mount in container["volumeMounts"]} <= {
        volume["name"] for volume in pod["volumes"]
    }
    assert container["resources"]["limits"]["memory"]


def test_kubernetes_selects_what_it_makes_and_gives_workers_their_time() -> None:
    rows = kubernetes()
    for name, row in rows.items():
        if row["kind"] == "Deployment":
            labels = row["spec"]["template"]["metadata"]["labels"]
            assert row["spec"]["selector"]["matchLabels"] == labels, name
            assert row["spec"]["replicas"] >= 2, name
            assert "livenessProbe" in pod_of(row)["containers"][0], name
    assert rows["Service teiji-web"]["spec"]["selector"] == {"app": "teiji-web"}
    worker = pod_of(rows["Deployment teiji-worker"])
    assert worker["terminationGracePeriodSeconds"] == LONGEST_STOP
    claims = {name.partition(" ")[2] for name in rows if name.startswith("PersistentVolumeClaim")}
    used = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in pods().values()
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert used == claims


@pytest.mark.parametrize("name", UNITS)
def test_each_unit_of_systemd_is_bound(name: str) -> None:
    service = unit(name)["Service"]
    assert service["User"] == "teiji"
    assert service["EnvironmentFile"] == "/etc/teiji/environment"
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == service["ProtectHome"] == "true"
    assert service["ProtectSystem"] in {"full", "strict"}
    assert service["LogsDirectory"] == "teiji", "TEIJI_LOG may name a file there"
    if service.get("Type") != "oneshot":
        assert service["Restart"] == "always"
        assert unit(name)["Install"]["WantedBy"] == "multi-user.target"


def test_the_folder_of_logs_is_that_which_is_turned_over() -> None:
    turned = (DEPLOY / "logrotate.conf").read_text()
    assert re.findall(r"^(/\S+) {", turned, re.MULTILINE) == ["/var/log/teiji/teiji.log"]


def test_a_key_for_backups_is_made_with_the_settings_where_teiji_may_write() -> None:
    text = (DEPLOY / "systemd" / "teiji-backup.service").read_text()
    (line,) = re.findall(r"^.*--new-key.*$", text.replace("\\\n", ""), re.MULTILINE)
    assert "--uid=teiji" in line and "EnvironmentFile=/etc/teiji/environment" in line
    (written,) = re.findall(r"--new-key (\S+)", line)
    assert written.startswith("/tmp/")
    used = unit("teiji-backup.service")["Service"]["ExecStart"]
    assert re.findall(r">(/\S+)$", line) == re.findall(r"--key (\S+)", used)


def test_systemd_gives_a_worker_the_time_to_finish() -> None:
    service = unit("teiji-worker@.service")["Service"]
    assert service["TimeoutStopSec"] == str(LONGEST_STOP)


def test_all_of_them_start_the_same_processes() -> None:
    def flags(line: str) -> set[str]:
        return set(re.findall(r"--[\w-]+", line)) - {"--host", "--port", "--hostname"}

    found = commands()
    for process in ("worker", "beat"):
        places = [f"compose {process}", f"Deployment teiji-{process}"]
        (own,) = (name for name in UNITS if name.startswith(f"teiji-{process}"))
        assert len({frozenset(flags(found[place])) for place in [*places, own]}) == 1
    tried = flags(" ".join(processes.worker())) - {"--loglevel"}
    assert flags(found["compose worker"]) == tried, "as in the demo, the measurements and the tests"
    web = ("Dockerfile", "Deployment teiji-web", "teiji-web.service")
    assert len({frozenset(flags(found[place])) for place in web}) == 1


def test_images_are_named_with_their_version() -> None:
    images = [service["image"] for service in compose()["services"].values()]
    images += [pod["containers"][0]["image"] for pod in pods().values()]
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert all(re.fullmatch(r"[\w./-]+:\d[\w.-]*", image) or ":3." in image for image in images)
    assert len({image for image in images if image.startswith("teiji:")}) == 1


def test_the_image_is_given_what_its_last_step_asks(tmp_path: Path) -> None:
    """As a shell reads it: collectstatic finds its settings there."""
    text = (
        (DEPLOY / "Dockerfile").read_text().replace("\\\n", "").replace("/tmp/build", str(tmp_path))
    )
    *_, step = re.findall(r"^RUN (.*)$", text, re.MULTILINE)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" != manage.py ] || exec {sys.executable} "$@" --dry-run\n')
    python.chmod(0o755)
    words = ["sh", "-c", step]
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TEIJI_PROFILE": "production"}
    done = subprocess.run(
        words, cwd=settings.BASE_DIR, env=given, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_image_can_be_read_by_its_user_whatever_the_checkouts_modes(tmp_path: Path) -> None:
    (folder := tmp_path / "config").mkdir(mode=0o750)
    (file := folder / "settings.py").touch(mode=0o640)
    text = (DEPLOY / "Dockerfile").read_text()
    steps = [step for step in re.findall(r"^RUN (.*)$", text, re.MULTILINE) if "chmod" in step]
    subprocess.run(["sh", "-c", " && ".join(steps)], cwd=tmp_path, check=True)
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o755, 0o644)


def test_what_is_asked_when_the_image_is_built_can_be_said_to_compose_too() -> None:
    asked = re.findall(r"^ARG (\w+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    builds = [service["build"] for service in compose()["services"].values() if "build" in service]
    assert asked and all(build["args"] == asked for build in builds)


def test_keys_stay_out_of_the_image_and_of_the_repository() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {"deploy/.env", "deploy/backup.key", ".git", "var"} <= set(ignored)
    assert "deploy/backup.key" in (Path(settings.BASE_DIR) / ".gitignore").read_text()


TIMERS = sorted(path.name for path in (DEPLOY / "systemd").glob("*.timer"))


@pytest.mark.parametrize("name", TIMERS)
def test_each_timer_starts_a_service_that_comes_to_an_end(name: str) -> None:
    timer = unit(name)
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert timer["Timer"]["Persistent"] == "true", "what a machine missed is made up for"
    started = unit(name.replace(".timer", ".service"))
    assert started["Service"]["Type"] == "oneshot"
    assert "Install" not in started, "it runs by its timer, not at each start"
    assert f"systemctl enable --now {name}" in (
        (DEPLOY / "systemd" / name.replace(".timer", ".service")).read_text()
    )


def test_what_must_recur_has_a_timer() -> None:
    assert TIMERS == ["teiji-archive.timer", "teiji-backup.timer"]
    once = {name for name in UNITS if unit(name)["Service"].get("Type") == "oneshot"}
    assert once == {name.replace(".timer", ".service") for name in TIMERS}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("name", TIMERS)
def test_systemd_understands_when_a_timer_goes_off(name: str) -> None:
    words = ["systemd-analyze", "calendar", unit(name)["Timer"]["OnCalendar"]]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "Next elapse" in done.stdout


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="needs logrotate")
def test_logrotate_turns_the_log_over_and_keeps_two_weeks(tmp_path: Path) -> None:
    """As it stands, but for the folder and the user, whom this machine may not have."""
    log = tmp_path / "teiji.log"
    log.write_text("a line\n")
    text = (DEPLOY / "logrotate.conf").read_text().replace("/var/log/teiji", str(tmp_path))
    me = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    own = tmp_path / "logrotate.conf"
    own.write_text(text.replace("su teiji teiji", f"su {' '.join(me)}"))
    own.chmod(0o644)
    words = [
        str(shutil.which("logrotate")),
        "--force",
        "--state",
        str(tmp_path / "state"),
        str(own),
    ]
    for turn in range(16):
        log.write_text(f"turn {turn}\n")
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert not log.exists(), "the processes make it anew"
    kept = sorted(path.name for path in tmp_path.glob("teiji.log.*"))
    assert len(kept) == 14
    assert (tmp_path / "teiji.log.1").read_text() == "turn 15\n", "the latest is read as it is"
    assert "teiji.log.14.gz" in kept
