"""Whether what must run does: the database, workers, beat, the broker."""

from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

from config.checks import ANEW, encoding_of
from config.doctor.finding import (
    EXAMINATIONS,
    WITHOUT_DATABASE,
    Finding,
    error,
    examination,
    ok,
    warning,
)
from config.health import DEGRADING, OK, QUESTIONS
from orgs.clock import clock_offset

OLDEST = {"postgresql": (14,), "sqlite": (3, 35)}
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
OFF, FAR_OFF = 2.0, 60.0  # seconds

# What /readyz asks too, and what to do about it.
ADVICE = {
    "migrations": "Run manage.py migrate with the code that you have installed.",
    "dispatcher": "Start a worker: celery -A config worker, or manage.py dispatch.",
    "fence": "Look at what was due with manage.py fence, then lift it.",
    "due": "See whether workers run, and what their log says; start more of them.",
    "workers": "Look at its log, and start it again. Others have taken over what it held.",
    "beat": "Start it: celery -A config beat. Messages leave on time without it.",
    "broker": "Start it, or set TEIJI_BROKER_URL. Messages leave on time without it.",
}


@examination(asks_database=False)
def database() -> Finding:
    try:
        connection.ensure_connection()
    except (DatabaseError, InterfaceError) as failure:
        advice = "Start it; see that TEIJI_DATABASE_URL names its host, port, name and user."
        return error(f"it does not answer ({type(failure).__name__})", advice)
    vendor = connection.vendor
    version = connection.get_database_version()
    said = f"{NAMES[vendor]} {'.'.join(map(str, version))}"
    if version < OLDEST[vendor]:
        wanted = ".".join(map(str, OLDEST[vendor]))
        return error(f"{said} is too old", f"Move to {NAMES[vendor]} {wanted} or newer.")
    return ok(said)


@examination()
def encoding() -> Finding:
    found = encoding_of(connection)
    return ok() if found == "UTF8" else error(f"{found}: it cannot keep every language", ANEW)


@examination()
def clock() -> Finding:
    offset = clock_offset()
    said = f"{abs(offset):.1f} s {'ahead of' if offset > 0 else 'behind'} the database’s"
    advice = "Let NTP set the clocks of this machine and of the database’s."
    if abs(offset) > FAR_OFF:
        return error(said, advice)
    return warning(said, advice) if abs(offset) > OFF else ok(said)


def _as_readyz(name: str) -> Callable[[], Finding]:
    def work() -> Finding:
        said, _numbers = QUESTIONS[name]()
        if said == OK:
            return ok()
        return (warning if name in DEGRADING else error)(said, ADVICE[name])

    return work


EXAMINATIONS |= {name: _as_readyz(name) for name in ADVICE}
WITHOUT_DATABASE.add("broker")
