"""What an examination finds, and the registry of all examinations."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.db import DatabaseError, InterfaceError

from config.patience import ask, hanging_up

logger = logging.getLogger(__name__)


class Level(StrEnum):
    OK = "ok"
    SKIPPED = "skipped"  # it needs the database, which does not answer
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`said` must hold no secret; `advice` says what to do."""

    level: Level
    said: str
    advice: str = ""


def ok(said: str = "") -> Finding:
    return Finding(Level.OK, said)


def warning(said: str, advice: str) -> Finding:
    return Finding(Level.WARNING, said, advice)


def error(said: str, advice: str) -> Finding:
    return Finding(Level.ERROR, said, advice)


Examination = Callable[[], Finding]

EXAMINATIONS: dict[str, Examination] = {}
WITHOUT_DATABASE: set[str] = set()
MAY_HANG: set[str] = set()
PATIENCE = 20.0  # seconds for an examination that looks at a mount, or asks the database


def examination(
    *, asks_database: bool = True, may_hang: bool = False
) -> Callable[[Examination], Examination]:
    """Registers a function under its name. What asks the database may raise its errors; what may
    hang is done in a thread of its own, which is left behind."""

    def register(work: Examination) -> Examination:
        EXAMINATIONS[work.__name__] = work
        if not asks_database:
            WITHOUT_DATABASE.add(work.__name__)
        if may_hang:
            MAY_HANG.add(work.__name__)
        return work

    return register


def examine(begin: Callable[[str], None] = lambda _name: None) -> Iterator[tuple[str, Finding]]:
    """Each examination's name and what it found, that of the database first: when it is away,
    only those are made that do not ask it. `begin` hears which is made next: some take long."""
    is_away = False
    for name in sorted(EXAMINATIONS, key=lambda name: name != "database"):
        work = EXAMINATIONS[name]
        if is_away and name not in WITHOUT_DATABASE:
            yield name, Finding(Level.SKIPPED, "the database does not answer")
            continue
        begin(name)
        try:
            found = _made(name, work)
        except TimeoutError:
            advice = "See whether the server of its mount is there, and mount it anew."
            found = error(f"it does not answer within {PATIENCE:.0f} s", advice)
        except (DatabaseError, InterfaceError) as failure:
            found = error(
                f"not known ({type(failure).__name__})",
                "See what is said of database and migrations.",
            )
        except Exception as failure:  # of whatever kind: a fault of one must not hide the others
            logger.debug("examination %s failed", name, exc_info=True)
            advice = "Mend what else is found; TEIJI_LOG_LEVEL=DEBUG shows where it failed."
            found = error(f"it could not be examined ({type(failure).__name__})", advice)
        is_away |= name == "database" and found.level == Level.ERROR
        yield name, found


def _made(name: str, work: Examination) -> Finding:
    if name in MAY_HANG:
        found: Finding = ask(f"doctor {name}", work).answer(within=PATIENCE)
        return found
    with hanging_up(after=PATIENCE):
        return work()
