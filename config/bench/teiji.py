"""Teiji as it runs in production: beat, workers, a database, in a scratch installation."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings

from config import processes
from config.bench.line import Line
from config.bench.phase import forget, python, say, wait_until_ready
from config.bench.scratch import Scratch

AHEAD = 5.0  # seconds from the registration to the horizon, at which planning begins


class Installation:
    """Its processes run; `family` is theirs."""

    def __init__(self, place: Scratch, line: Line) -> None:
        self._line = line
        self._environment = place.environment | {"TEIJI_LINE_API_HOST": line.url}
        self.family = processes.Family(self._environment, place.folder / "logs")

    def start(self, workers: int) -> None:
        """Make the tables and start the processes; returns when they are ready."""
        say(f"Teiji: {workers} worker(s) and beat are starting")
        python(self._environment, "manage.py", "migrate", "--verbosity", "0")
        names = [f"worker{number + 1}" for number in range(workers)]
        for name in names:
            self.family.start(name, processes.worker(name))
        self.family.start("beat", processes.beat())
        wait_until_ready(self.family, names, "ready.")

    def plant(self, tenant: int, rooms: int, accounts: int = 1) -> None:
        self._world("plant", tenant, rooms, accounts)

    def plant_urgent(self, tenant: int, urgent: int, rooms: int) -> None:
        """More rooms of this tenant's account, at the addresses of `urgent`."""
        self._world("plant_urgent", tenant, urgent, rooms)

    def schedule(self, shape: str, *tenants: int) -> float:
        """Let all rooms of these tenants be due; the appointed time."""
        forget(self._line)
        ahead = AHEAD + settings.TEIJI_HORIZON_SECONDS
        return float(self._world("schedule", shape, ahead, *tenants))

    def python(self, module: str, *arguments: object) -> str:
        """What this module prints, run in the scratch installation."""
        words: Sequence[str] = [str(argument) for argument in arguments]
        return python(self._environment, "-m", module, *words).strip()

    def _world(self, *arguments: object) -> str:
        return self.python("config.bench.world", *arguments)


@contextmanager
def installation(place: Scratch, line: Line, workers: int) -> Iterator[Installation]:
    """Running from here on, and ended for certain."""
    teiji = Installation(place, line)
    try:
        teiji.start(workers)
        yield teiji
    finally:
        teiji.family.stop()
