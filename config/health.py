"""Whether this installation is alive, and whether it is ready."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from config.patience import ask, hanging_up
from config.vitals import Numbers, due, rounded
from orgs.clock import clock_offset, database_now
from schedules.dispatch.overdue import overdue
from schedules.models import Heartbeat, Installation

OK = "ok"
SILENT = 10.0  # seconds after which a part counts as stopped
OVERDUE = 60.0  # seconds that something may be due before the installation is not ready
MISSED_FOR = timedelta(minutes=10)  # so long a worker that fell silent is missed
DISK_LEAST = 100 * 1024**2  # bytes free: below, the database and images may not be written
BROKER_SECONDS = 2.0
PATIENCE = 3.0  # seconds within which disk and broker have to answer
DATABASE_PATIENCE = 3.0  # the same for the database, all questions together
# When one of these alone is wrong, messages still leave on time.
DEGRADING = ("workers", "beat", "broker")
APART = ("disk", "broker")  # they do not ask the database
AWAY = "the database does not answer"

Part = tuple[str, Numbers]  # OK or what is wrong, and the numbers beside it


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers. Asks nobody else."""
    return JsonResponse({"status": OK})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part with OK or what is wrong; 503 when messages cannot leave on time. It answers within
    seconds, whatever hangs.

    A silent beat, a broker that is away, and a worker that is missed beside others only degrade:
    the workers' loops plan by themselves, and take over from each other.
    """
    found = answers()
    parts = {name: said for name, (said, _numbers) in found.items()}
    figures = {name: numbers for name, (_said, numbers) in found.items() if numbers}
    wrong = {name for name, said in parts.items() if said != OK}
    blocking = wrong.difference(DEGRADING)
    status = "unavailable" if blocking else "degraded" if wrong else OK
    said = {"status": status, "parts": parts, "figures": figures}
    return JsonResponse(said, status=503 if blocking else 200)


def answers() -> dict[str, Part]:
    """What each part says, in their order. Of a database that is away only the first one asks."""
    apart = {name: ask(name, QUESTIONS[name]) for name in APART}
    with hanging_up(after=DATABASE_PATIENCE):
        found = _of_database()
    for name, asked in apart.items():
        try:
            found[name] = asked.answer(within=PATIENCE)
        except TimeoutError:
            found[name] = f"it does not answer within {PATIENCE:.0f} s", {}
    return {name: found[name] for name in QUESTIONS}


def _of_database() -> dict[str, Part]:
    found: dict[str, Part] = {}
    away = ""
    for name, question in QUESTIONS.items():
        if name in APART:
            continue
        try:
            found[name] = (away, {}) if away else question()
        except (DatabaseError, InterfaceError) as error:
            away = f"{AWAY} ({type(error).__name__})"
            found[name] = away, {}
    return found


def _database() -> Part:
    database_now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK, {"clock_ahead_s": round(clock_offset(), 3)}


def _migrations() -> Part:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return (f"{len(missing)} missing: run manage.py migrate" if missing else OK), {}


def _heartbeat(kind: Any) -> Part:
    age = Heartbeat.age(kind, database_now())
    said = OK if age is not None and age < SILENT else f"silent for {age or 0:.0f} s"
    return ("no sign of life" if age is None else said), {"age_s": rounded(age)}


def _fence() -> Part:
    row = Installation.objects.fenced()
    if row is None or row.fenced_at is None:
        return OK, {"age_s": None}
    age = (database_now() - row.fenced_at).total_seconds()
    return f"fenced ({row.reason}): see manage.py fence", {"age_s": rounded(age)}


def _oldest_due() -> Part:
    now = database_now()
    numbers = due(now)
    # What a person holds may be later: asked exactly only where something is late at all.
    is_late = (numbers["oldest_s"] or 0) >= OVERDUE
    if is_late and overdue(now, by=timedelta(seconds=OVERDUE)).exists():
        return "deliveries are overdue", numbers
    return OK, numbers


def _workers() -> Part:
    """Of a worker that hangs the loop gives no sign of life, though its process is there."""
    kind, now = Heartbeat.Kind.LOOP, database_now()
    after = timedelta(seconds=SILENT)
    lost = Heartbeat.lost(kind, now, after=after, within=MISSED_FOR).count()
    said = f"{lost} silent: hung, or killed" if lost else OK
    return said, {"alive": Heartbeat.alive(kind, now, within=after)}


def _broker() -> Part:
    """Never the broker's own words: they may hold its URL."""
    options = {"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS}
    try:
        with current_app.connection_for_write(
            connect_timeout=BROKER_SECONDS,
            transport_options={**settings.CELERY_BROKER_TRANSPORT_OPTIONS, **options},
        ) as connection_:
            connection_.default_channel.close()
    except Exception as error:  # of whatever kind, by the transport
        return f"it does not answer ({type(error).__name__})", {}
    return OK, {}


def _disk() -> Part:
    """Bytes, where there are fewest."""
    places = settings.TEIJI_DATA_DIR, settings.MEDIA_ROOT
    try:
        free = min(shutil.disk_usage(existing(Path(place))).free for place in places)
    except OSError as error:  # a mount that is stale
        return f"it cannot be looked at ({error.strerror})", {}
    numbers: Numbers = {"free_mb": free // 1024**2}
    return (OK if free >= DISK_LEAST else f"only {free // 1024**2} MB free"), numbers


def existing(path: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    return path if path.exists() else existing(path.parent)


QUESTIONS: dict[str, Callable[[], Part]] = {
    "database": _database,
    "migrations": _migrations,
    "dispatcher": partial(_heartbeat, Heartbeat.Kind.LOOP),
    "fence": _fence,
    "due": _oldest_due,
    "disk": _disk,
    "workers": _workers,
    "beat": partial(_heartbeat, Heartbeat.Kind.TICK),
    "broker": _broker,
}

urlpatterns = [path("healthz", healthz), path("readyz", readyz)]
