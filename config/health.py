"""Whether this installation is alive, and whether it is ready."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from config.vitals import Numbers, vitals
from orgs.clock import database_now
from schedules.dispatch.overdue import overdue
from schedules.models import Heartbeat, Installation

OK = "ok"
SILENT = 10.0  # seconds after which a part counts as stopped
OVERDUE = 60.0  # seconds that something may be due before the installation is not ready
MISSED_FOR = timedelta(minutes=10)  # so long a worker that fell silent is missed
DISK_LEAST = 100 * 1024**2  # bytes free: below, the database and images may not be written
BROKER_SECONDS = 2.0
# When one of these alone is wrong, messages still leave on time.
DEGRADING = ("workers", "beat", "broker")
APART = ("disk", "broker")  # they do not ask the database
AWAY = "the database does not answer"


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers. Asks nobody else."""
    return JsonResponse({"status": OK})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part with OK or what is wrong; 503 when messages cannot leave on time.

    A silent beat, a broker that is away, and a worker that is missed beside others only degrade:
    the workers' loops plan by themselves, and take over from each other.
    """
    parts = dict(answers())
    numbers = figures(is_away=parts["database"] != OK)
    wrong = {name for name, said in parts.items() if said != OK}
    blocking = wrong.difference(DEGRADING)
    status = "unavailable" if blocking else "degraded" if wrong else OK
    said = {"status": status, "parts": parts, "figures": numbers}
    return JsonResponse(said, status=503 if blocking else 200)


def answers() -> Iterator[tuple[str, str]]:
    """What each part says. For a database that is away only the first one waits."""
    away = ""
    for name, question in QUESTIONS.items():
        said = away if away and name not in APART else ask(question)
        if said.startswith(AWAY):
            away = said
        yield name, said


def figures(*, is_away: bool) -> dict[str, Numbers]:
    """Numbers beside the parts. Of a database that is away, or has not all its tables, none."""
    found: dict[str, Numbers] = {}
    with suppress(OSError):
        found["disk"] = {"free_mb": _free() // 1024**2}
    if not is_away:
        with suppress(DatabaseError, InterfaceError):
            found |= vitals(database_now())
    return found


def ask(question: Callable[[], str]) -> str:
    """What a part says, also when it cannot be asked."""
    try:
        return question()
    except (DatabaseError, InterfaceError) as error:
        return f"{AWAY} ({type(error).__name__})"


def _database() -> str:
    database_now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} missing: run manage.py migrate" if missing else OK


def _heartbeat(kind: Any) -> Callable[[], str]:
    def ask() -> str:
        age = Heartbeat.age(kind, database_now())
        if age is None:
            return "no sign of life"
        return OK if age < SILENT else f"silent for {age:.0f} s"

    return ask


def _oldest_due() -> str:
    late = overdue(database_now(), by=timedelta(seconds=OVERDUE))
    return "deliveries are overdue" if late.exists() else OK


def _workers() -> str:
    """Of a worker that hangs the loop gives no sign of life, though its process is there."""
    kind, after = Heartbeat.Kind.LOOP, timedelta(seconds=SILENT)
    lost = Heartbeat.lost(kind, database_now(), after=after, within=MISSED_FOR).count()
    return f"{lost} silent: hung, or killed" if lost else OK


def _broker() -> str:
    """Never the broker's own words: they may hold its URL."""
    options = {"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS}
    try:
        with current_app.connection_for_write(
            connect_timeout=BROKER_SECONDS,
            transport_options={**settings.CELERY_BROKER_TRANSPORT_OPTIONS, **options},
        ) as connection_:
            connection_.default_channel.close()
    except Exception as error:  # of whatever kind, by the transport
        return f"it does not answer ({type(error).__name__})"
    return OK


def _disk() -> str:
    try:
        free = _free()
    except OSError as error:  # a mount that is stale
        return f"it cannot be looked at ({error.strerror})"
    return OK if free >= DISK_LEAST else f"only {free // 1024**2} MB free"


def _free() -> int:
    """Bytes, where there are fewest."""
    places = settings.TEIJI_DATA_DIR, settings.MEDIA_ROOT
    return min(shutil.disk_usage(existing(Path(place))).free for place in places)


def existing(path: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    return path if path.exists() else existing(path.parent)


def _fence() -> str:
    row = Installation.objects.fenced()
    return f"fenced ({row.reason}): see manage.py fence" if row else OK


QUESTIONS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "dispatcher": _heartbeat(Heartbeat.Kind.LOOP),
    "fence": _fence,
    "due": _oldest_due,
    "disk": _disk,
    "workers": _workers,
    "beat": _heartbeat(Heartbeat.Kind.TICK),
    "broker": _broker,
}

urlpatterns = [path("healthz", healthz), path("readyz", readyz)]
