"""`manage.py bench`: its figures, and that it measures beside the user's data."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config import memory
from config.bench import world
from config.bench.figures import arrivals, quantile, table
from config.bench.scratch import scratch
from config.management.commands.bench import flat
from tests.fakes import line


def arrived(*moments: float) -> list[dict[str, Any]]:
    return [{"at": moment, "to": f"C{number}"} for number, moment in enumerate(moments)]


def test_figures_of_a_log() -> None:
    found = arrivals(arrived(100.1, 100.3, 100.2, 100.5), due_at=100.0)
    assert (found.arrived, found.duplicates, found.early) == (4, 0, 0)
    assert (found.lateness_s.p50, found.lateness_s.p99, found.lateness_s.last) == (0.2, 0.5, 0.5)
    assert found.rate_per_s == 8


def test_what_came_before_its_time_is_early() -> None:
    assert arrivals(arrived(99.999, 100.0), due_at=100.0).early == 1


def test_a_room_that_got_two_counts_as_a_duplicate() -> None:
    twice = [*arrived(100.1, 100.2), {"at": 100.3, "to": "C0"}]
    assert arrivals(twice, due_at=100.0).duplicates == 1


def test_nothing_arrived() -> None:
    found = arrivals([], due_at=100.0)
    assert (found.arrived, found.rate_per_s, found.lateness_s.last) == (0, 0, 0.0)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_quantiles_are_values_that_occurred(share: float, expected: int) -> None:
    assert quantile(range(1, 101), share) == expected


def test_nested_names_get_dots() -> None:
    assert flat({"a": 1, "b": {"c": 2, "d": {"e": 3}}}) == [("a", 1), ("b.c", 2), ("b.d.e", 3)]


def test_a_table_is_aligned() -> None:
    assert table([("a", 1), ("long", 2)]) == "a     1\nlong  2"


def test_the_scratch_installation_does_not_know_where_the_users_data_is(monkeypatch: Any) -> None:
    monkeypatch.setenv("TEIJI_DATABASE_URL", "postgres://the-users-own")
    monkeypatch.setenv("TEIJI_BROKER_URL", "redis://the-users-own")
    monkeypatch.setenv("TEIJI_DATA_DIR", "/the-users-own")
    monkeypatch.setenv("TEIJI_IN_FLIGHT", "50")
    with scratch("", "") as place:
        assert "the-users-own" not in str(place.environment)
        assert place.environment["TEIJI_IN_FLIGHT"] == "50"
        assert place.folder.exists()
    assert not place.folder.exists()


def test_the_fake_takes_the_token_of_the_bench() -> None:
    assert line.ACCESS_TOKEN == world.ACCESS_TOKEN


def test_the_tree_of_this_process_has_memory_and_has_used_time() -> None:
    ours = memory.tree(os.getpid())
    assert ours[0].pid == os.getpid()
    assert ours[0].seconds > 0
    assert memory.resident_megabytes(ours) > 10
    assert memory.peak_megabytes(ours) >= memory.resident_megabytes(ours[:1])


def test_ps_and_proc_agree_on_who_is_there() -> None:
    mine = {process.pid: process for process in memory._from_ps()}[os.getpid()]
    assert mine.parent == os.getppid()
    assert mine.resident > 10 * 1024**2


@pytest.mark.parametrize(
    ("time", "seconds"), [("0:01.50", 1.5), ("01:02:03", 3723), ("2-00:00:01", 172_801)]
)
def test_times_of_ps(time: str, seconds: float) -> None:
    assert memory._seconds(time) == seconds


@pytest.mark.processes
@pytest.mark.timeout(180)
def test_twenty_rooms_get_one_message_each_and_none_early(tmp_path: Path) -> None:
    found = bench(tmp_path, "dispatch", "--rooms", "20", "--shape", "many")
    assert (found["rooms"], found["arrived"], found["duplicates"], found["early"]) == (20, 20, 0, 0)
    lateness = found["lateness_s"]
    assert 0 <= lateness["p50"] <= lateness["p99"] <= lateness["last"]
    assert found["rate_per_s"] > 0
    assert found["cpu_s"] > 0
    assert found["peak_mb"] > 0
    assert found["floor"]["arrived"] == 20
    assert not (tmp_path / "teiji.sqlite3").exists()


def bench(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run it as a user would, on the PostgreSQL of this test run where there is one."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TEIJI_")}
    servers = {
        "--database": os.environ.get("TEIJI_TEST_DATABASE_URL", ""),
        "--broker": os.environ.get("TEIJI_TEST_REDIS_URL", ""),
    }
    options = [word for pair in servers.items() if pair[1] for word in pair]
    done = subprocess.run(
        [sys.executable, "manage.py", "bench", *arguments, *options, "--json"],
        cwd=settings.BASE_DIR,
        env={**own, "TEIJI_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
