"""What a tree of processes uses: memory and processor time."""

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
HAS_PROC = (PROC / "self" / "stat").exists()  # Linux; elsewhere ps is asked


@dataclass(frozen=True)
class Process:
    """One process: its memory in bytes, its processor time so far in seconds."""

    pid: int
    parent: int
    resident: int
    seconds: float


def tree(root: int) -> list[Process]:
    """This process and all that come from it; none when it is gone."""
    by_parent: dict[int, list[Process]] = defaultdict(list)
    running = _from_proc() if HAS_PROC else _from_ps()
    for process in running:
        by_parent[process.parent].append(process)
    found = [process for process in running if process.pid == root]
    for process in found:
        found += by_parent[process.pid]
    return found


def resident_megabytes(processes: Iterable[Process]) -> int:
    """In memory; a page that several share is counted for each of them."""
    return sum(process.resident for process in processes) // 1024**2


def proportional_megabytes(processes: Iterable[Process]) -> int | None:
    """In memory, shared pages counted once; None where the system does not say."""
    if not HAS_PROC:
        return None
    kilobytes = 0
    for process in processes:
        lines = _read(PROC / str(process.pid) / "smaps_rollup").splitlines()
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes // 1024


def peak_megabytes(processes: Iterable[Process]) -> int:
    """The most that these have had in memory, each at its own peak; where the system does not
    say, what they have now."""
    if not HAS_PROC:
        return resident_megabytes(processes)
    kilobytes = 0
    for process in processes:
        lines = _read(PROC / str(process.pid) / "status").splitlines()
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kilobytes // 1024


def _from_proc() -> list[Process]:
    page, tick = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    found = []
    for folder in PROC.glob("[0-9]*"):
        # After the name, which may hold spaces: state, parent, …; see proc(5).
        columns = _read(folder / "stat").rpartition(")")[2].split()
        if columns:
            seconds = (int(columns[11]) + int(columns[12])) / tick
            resident = int(columns[21]) * page
            found.append(Process(int(folder.name), int(columns[1]), resident, seconds))
    return found


def _from_ps() -> list[Process]:
    command = ["ps", "-A", "-o", "pid=,ppid=,rss=,time="]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    found = []
    for line in done.stdout.splitlines():
        pid, parent, kilobytes, time = line.split()
        found.append(Process(int(pid), int(parent), int(kilobytes) * 1024, _seconds(time)))
    return found


def _seconds(time: str) -> float:
    """Of ps's [[days-]hours:]minutes:seconds."""
    days, _, clock = time.rpartition("-")
    total = 0.0
    for number in clock.split(":"):
        total = total * 60 + float(number)
    return total + 86_400 * int(days or 0)


def _read(path: Path) -> str:
    """Empty when the process has ended meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""
