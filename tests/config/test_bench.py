"""`manage.py bench`: its figures, and that it measures beside the user's data."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from config import memory
from config.bench import contest, dispatch, fairness, phase
from config.bench.compare import as_text, compared
from config.bench.contest import TooLateError, Work, check
from config.bench.figures import arrivals, columns, quantile, ratio, table
from config.bench.line import Line
from config.bench.peers import message
from config.bench.peers.base import Peer
from config.bench.peers.registry import ALL, MODULES, load
from config.bench.scratch import scratch
from config.management.commands.bench import broken_promises, flat
from tests.fakes import line
from tests.fakes.serving import in_thread

PEERS = Path(settings.BASE_DIR) / "config" / "bench" / "peers"


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


def test_what_is_missing_counts_as_late_as_was_waited() -> None:
    found = arrivals(arrived(100.1, 100.2, 100.3), due_at=100.0, rooms=4, waited=60.0)
    assert (found.arrived, found.missing) == (3, 1)
    assert (found.lateness_s.p50, found.lateness_s.last) == (0.2, 60.0)
    assert found.rate_per_s == 10


def test_a_duplicate_does_not_stand_for_a_room_that_got_none() -> None:
    twice = [*arrived(100.1), {"at": 100.2, "to": "C0"}]
    found = arrivals(twice, due_at=100.0, rooms=2, waited=60.0)
    assert (found.duplicates, found.missing) == (1, 1)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_quantiles_are_values_that_occurred(share: float, expected: int) -> None:
    assert quantile(range(1, 101), share) == expected


def test_nested_names_get_dots() -> None:
    assert flat({"a": 1, "b": {"c": 2, "d": {"e": 3}}}) == [("a", 1), ("b.c", 2), ("b.d.e", 3)]


def test_a_table_is_aligned() -> None:
    assert table([("a", 1), ("long", 2)]) == "a     1\nlong  2"


def test_columns_are_aligned_names_to_the_left_and_figures_to_the_right() -> None:
    assert columns([["", "last"], ["Teiji", 0.5], ["a peer", None]]) == (
        "        last\nTeiji    0.5\na peer     –"
    )


def test_there_is_no_ratio_to_nothing() -> None:
    assert (ratio(1.0, 4.0), ratio(1.0, 0.0)) == (0.25, None)


def sent(p99: float, last: float) -> dict[str, Any]:
    """The figures of one who sent."""
    late = {"p50": p99 / 2, "p99": p99, "last": last}
    counts = dict.fromkeys(("rooms", "arrived", "missing", "duplicates", "early"), 7)
    return {**counts, "lateness_s": late, "rate_per_s": 8, "cpu_s": 9.0, "peak_mb": 10}


def test_the_best_peer_is_the_one_with_the_smallest_p99() -> None:
    found = compared(sent(0.5, 1.0), {"slow": sent(3.0, 4.0), "fast": sent(2.0, 5.0)})
    assert found["best_peer"] == "fast"
    assert found["share_of_best_peer"] == {"p99": 0.25, "last": 0.2}
    times = {name: peer["times_teiji"] for name, peer in found["peers"].items()}
    assert times == {"slow": 4.0, "fast": 5.0}


def test_without_peers_none_is_the_best() -> None:
    found = compared(sent(0.5, 1.0), {})
    assert found == {"peers": {}, "best_peer": None, "share_of_best_peer": None}


def test_people_see_a_row_for_each_who_sent_and_then_the_ratios() -> None:
    ours, floor, peers = sent(0.5, 1.0), sent(0.4, 0.5), {"fast": sent(2.0, 5.0)}
    names = ("shape", "workers", "accounts", "latency_ms", "limit_s", "database", "broker")
    about = {**dict.fromkeys(names, "x"), "machine": {"cores": 2}}
    about["failed_peers"] = {"broken": "why"}
    shown = as_text(
        {**ours, "floor": floor, "times_the_floor": 2.0, **compared(ours, peers), **about}
    )
    head, *rows = [line.split() for line in shown.splitlines()[:4]]
    assert [row[0] for row in rows] == ["Teiji", "floor", "fast"]
    assert [row[1 + head.index("last")] for row in rows] == ["1.0", "0.5", "5.0"]
    assert rows[2][-1] == "5.0"
    assert "broken could not run" in shown
    assert re.search(r"floor's +2\.0\n.*p99.*\(fast\) +0\.25\n.*last.*\(fast\) +0\.2\n", shown)


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


def test_the_fake_takes_what_the_bench_sends() -> None:
    fake = line.LineFake()
    assert message.ACCESS_TOKEN == line.ACCESS_TOKEN
    assert message.PATH == line.PUSH
    addresses = [message.address(number, tenant) for number in (0, 49_999) for tenant in (0, 1)]
    assert len(set(addresses)) == 4
    assert all(line.ADDRESS.fullmatch(address) for address in addresses)
    assert [address.startswith(message.prefix(1)) for address in addresses] == [0, 1, 0, 1]
    assert fake._accept(line.PUSH, "", addresses[0], json.loads(message.body("C1"))).status == 200


SERVERS = {"latency_ms": 30.0, "broker": ""}


@pytest.fixture
def quick_fake(monkeypatch: Any) -> Iterator[tuple[line.LineFake, Line]]:
    """A fake in a thread, of which the bench reads without pauses."""
    monkeypatch.setattr(phase, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(phase, "STRAGGLERS", 0.0)
    fake = line.LineFake()
    with in_thread(fake) as url:
        yield fake, Line(int(url.rpartition(":")[2]))


def accept(fake: line.LineFake, *rooms: int) -> None:
    for room in rooms:
        body = json.loads(message.body(message.address(room)))
        fake._accept(line.PUSH, "", body["to"], body)


def test_a_phase_ends_when_each_room_has_its_message(
    quick_fake: tuple[line.LineFake, Line],
) -> None:
    fake, read = quick_fake
    accept(fake, 0, 0, 1)
    found = phase.arriving(read, 2, due_at=fake.log[0].at, name="x", waiting=3600.0)
    assert [entry["to"] for entry in found] == [message.address(n) for n in (0, 0, 1)]
    accept(fake, 2)
    later = phase.arriving(read, 1, due_at=fake.log[0].at, name="y", waiting=3600.0)
    assert [entry["to"] for entry in later] == [message.address(2)]


def test_who_does_not_come_is_cut_off_and_it_is_said(
    quick_fake: tuple[line.LineFake, Line], capsys: Any
) -> None:
    fake, read = quick_fake
    accept(fake, 0, 0)
    found = phase.arriving(read, 2, due_at=fake.log[0].at, name="a peer", waiting=0.001)
    assert len(found) == 2
    assert "a peer: cut off with 2 arrived for 2 rooms" in capsys.readouterr().err
    assert phase.figures(found, 2, fake.log[0].at)["missing"] == 1


def test_a_larger_number_is_waited_for_longer() -> None:
    assert (phase.patience(1000), phase.patience(10_000)) == (70.0, 160.0)


@pytest.mark.parametrize("name", ["rooms", "workers", "accounts"])
def test_none_of_something_is_no_measurement(name: str) -> None:
    options = {"rooms": 1, "workers": 1, "accounts": 1, "peer": [], **SERVERS, name: 0}
    with pytest.raises(ValueError, match="At least one room"):
        dispatch.measure(options)


@pytest.mark.parametrize(
    "options",
    [
        {"rooms": 0},
        {"beside": 0},
        {"workers": 0},
        {"hang": 2},
        {"hang": -1},
        {"urgent": 1},
        {"ordinary": 1},
        {"ordinary": 1, "urgent": -1},
    ],
)
def test_fairness_needs_two_tenants_and_no_more_hanging_than_rooms(options: Any) -> None:
    usual = {"rooms": 1, "beside": 1, "workers": 1, "hang": 0, "ordinary": 0, "urgent": 0}
    with pytest.raises(ValueError, match=r"At least one room each|--hang|--ordinary"):
        fairness.measure(usual | options | SERVERS)


def a_peer(**values: Any) -> Peer:
    return Peer("a peer", lambda _count: {}, **values)


def test_a_peer_that_needs_postgresql_says_so() -> None:
    check(a_peer(), "")
    with pytest.raises(ValueError, match="keeps its jobs in PostgreSQL"):
        check(a_peer(needs_postgresql=True), "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"latency_ms": -5.0}, "--latency-ms lies between"),
        ({"latency_ms": float("nan")}, "--latency-ms lies between"),
        ({"broker": "foo://x"}, "--broker begins with"),
        ({"broker": "redis://127.0.0.1:1/0"}, "does not answer"),
    ],
)
def test_servers_that_cannot_be_used_are_named_before_anything_starts(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises((ValueError, RuntimeError), match=words):
        dispatch.check_servers({"latency_ms": 30.0, "broker": ""} | options)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:///x"])
def test_a_database_of_another_kind_is_no_postgresql(url: str) -> None:
    with pytest.raises((ValueError, RuntimeError), match="--database"), scratch(url, ""):
        pytest.fail("it was believed")


def test_a_broken_promise_of_teiji_is_a_failure_and_one_of_a_peer_is_not() -> None:
    good = {"early": 0, "floor": {"early": 3}, "peers": {"x": {"missing": 7}}}
    assert broken_promises(good) == []
    bad = {"small": {"together": {"duplicates": 2}}, "missing": 1}
    assert broken_promises(bad) == ["small.together.duplicates 2", "missing 1"]


def test_a_broken_promise_leaves_the_figures_as_the_one_answer(monkeypatch, capsys) -> None:
    monkeypatch.setattr(dispatch, "measure", lambda options: {"missing": 1})
    with pytest.raises(SystemExit) as ended:
        call_command("bench", "dispatch", "--json")
    said = capsys.readouterr()
    assert (ended.value.code, json.loads(said.out)) == (1, {"missing": 1})
    assert "Teiji broke its promise: missing 1." in said.err


def test_a_peer_that_registers_too_slowly_gets_more_time(monkeypatch: Any, capsys: Any) -> None:
    given: list[float] = []

    def run(_peer: Peer, _work: Work, _line: Line, _environment: Any, seconds: float) -> Any:
        given.append(seconds)
        if len(given) < 2:
            raise TooLateError
        return {"rooms": 30}

    monkeypatch.setattr(contest, "_run", run)
    peer, work = a_peer(jobs_a_second=10), Work(30, 1, "", "")
    assert contest.compete(peer, work, Line(1)) == {"rooms": 30}
    assert given == [contest.MARGIN + 3, contest.MARGIN + 9]
    assert "a peer: registering took longer than 11 s" in capsys.readouterr().err
    given[:] = []
    monkeypatch.setattr(contest, "TRIES", 1)
    with pytest.raises(RuntimeError, match="30 rooms cannot be registered in time"):
        contest.compete(peer, work, Line(1))


def test_a_peer_that_cannot_run_leaves_the_others_their_figures(
    monkeypatch: Any, capsys: Any
) -> None:
    def compete(peer: Peer, _work: Work, _line: Line) -> Any:
        if peer.name == "broken":
            raise RuntimeError("no room at the inn")
        return sent(2.0, 5.0)

    monkeypatch.setattr(dispatch, "compete", compete)
    broken, sound = (Peer(name, lambda _count: {}) for name in ("broken", "sound"))
    task = dispatch.Task(1, "one", 1, 1, 30.0, peers=[broken, sound])
    peers, failed = dispatch._contest(task, Line(1))
    assert peers == {"sound": sent(2.0, 5.0)}
    assert failed == {"broken": "no room at the inn"}
    assert "broken could not run: no room at the inn" in capsys.readouterr().err


def test_a_peer_is_told_nothing_of_the_users_teiji(monkeypatch: Any) -> None:
    monkeypatch.setenv("TEIJI_IN_FLIGHT", "50")
    with scratch("", "") as place:
        told = contest._environment(a_peer(), Work(1, 1, "", ""), Line(1), place, "keys:")
    assert [name for name in told if name.startswith(("TEIJI_", "DJANGO_"))] == []
    assert told["BENCH_BROKER_URL"] == "filesystem://"
    assert told["BENCH_LINE_URL"] == "http://127.0.0.1:1"


def test_asked_to_end_the_scratch_installation_is_removed() -> None:
    with pytest.raises(SystemExit), scratch("", "") as place:
        os.kill(os.getpid(), signal.SIGTERM)
    assert not place.folder.exists()


def test_a_database_that_does_not_answer_is_said() -> None:
    with (
        pytest.raises(RuntimeError, match="PostgreSQL of --database does not answer"),
        scratch("postgres://nobody@127.0.0.1:1/nothing", ""),
    ):
        pass


def test_a_peer_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(CommandError, match=r"'nobody'.*celery-eta.*all"):
        call_command("bench", "dispatch", "--peer", "nobody")


@pytest.mark.parametrize("name", MODULES)
def test_each_peer_says_who_it_is_or_what_to_install(name: str) -> None:
    try:
        [peer] = load([name, name])
    except RuntimeError as error:
        assert "pip install -r requirements-peers.txt" in str(error)
        return
    assert peer.name == name
    commands = peer.processes(3)
    assert commands
    assert all(command[0] == "-m" for command in commands.values())
    module = sys.modules[f"config.bench.peers.{MODULES[name]}"]
    assert callable(module.prepare)
    assert callable(module.register)


def test_a_package_that_is_missing_is_named(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "apscheduler.events", None)
    monkeypatch.delitem(sys.modules, "config.bench.peers.apscheduler", raising=False)
    with pytest.raises(RuntimeError, match=r"apscheduler.*pip install -r requirements-peers\.txt"):
        load([ALL])


def test_celery_has_two_workers_at_the_least_and_as_many_as_teiji() -> None:
    [peer] = load(["celery-eta"])
    assert [len(peer.processes(count)) for count in (1, 2, 4)] == [2, 2, 4]


def test_the_processes_of_a_peer_load_nothing_of_teiji() -> None:
    said = "import peers.celery_eta, sys; print({'config', 'django.db'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", said],
        env={**os.environ, "PYTHONPATH": str(PEERS.parent)},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"


def test_what_the_peers_need_contradicts_nothing_that_teiji_pins() -> None:
    def pins(name: str) -> set[tuple[str, str]]:
        lines = (Path(settings.BASE_DIR) / name).read_text().splitlines()
        pairs = [line.split("==") for line in lines if "==" in line]
        return {(package.lower().replace("_", "-"), version) for package, version in pairs}

    peers, ours = pins("requirements-peers.txt"), pins("requirements.txt")
    ours |= pins("requirements-dev.txt")
    shared = {name for name, _ in peers} & {name for name, _ in ours}
    assert {pin for pin in peers if pin[0] in shared} <= ours
    assert "apscheduler" in {name for name, _ in peers}


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
@pytest.mark.timeout(400)
def test_twenty_rooms_get_one_message_each_from_teiji_and_from_a_peer(tmp_path: Path) -> None:
    found = bench(tmp_path, "dispatch", "--rooms", "20", "--shape", "many", "--accounts", "3",
                  "--peer", "celery-eta")  # fmt: skip
    for figures in (found, found["floor"], found["peers"]["celery-eta"]):
        counts = [figures[name] for name in ("rooms", "arrived", "missing", "duplicates", "early")]
        assert counts == [20, 20, 0, 0, 0]
        lateness = figures["lateness_s"]
        assert 0 <= lateness["p50"] <= lateness["p99"] <= lateness["last"]
        assert figures["rate_per_s"] > 0
        assert figures["cpu_s"] >= 0
        assert figures["peak_mb"] > 0
    assert found["cpu_s"] > 0
    assert found["accounts"] == 3
    assert found["best_peer"] == "celery-eta"
    assert found["share_of_best_peer"].keys() == {"p99", "last"}
    assert not (tmp_path / "teiji.sqlite3").exists()


@pytest.mark.processes
@pytest.mark.any_database
@pytest.mark.timeout(400)
def test_two_tenants_are_told_apart(tmp_path: Path) -> None:
    found = bench(tmp_path, "fairness", "--rooms", "30", "--beside", "5", "--ordinary", "40",
                  "--urgent", "4")  # fmt: skip
    small, large, priority = found["small"], found["large"], found["priority"]
    for figures, rooms in (
        (small["alone"], 5), (small["together"], 5), (large, 30), (priority["ordinary"], 40),
        (priority["urgent"], 4),
    ):  # fmt: skip
        counts = [figures[name] for name in ("rooms", "arrived", "missing", "duplicates", "early")]
        assert counts == [rooms, rooms, 0, 0, 0]
    assert found["times_alone"].keys() == {"p50", "p99", "last"}


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
        env={**own, "TEIJI_DATA_DIR": str(folder), "TEIJI_HORIZON_SECONDS": "4"},
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
