"""Whether this installation is alive, and whether it is ready."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from orgs.clock import database_now
from schedules.models import Delivery, Heartbeat, Installation

SILENT = 10.0  # seconds after which a part counts as stopped
OVERDUE = 60.0  # seconds that something may be due before the installation is not ready


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers. Asks nobody else."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part with "ok" or what is wrong; 503 when messages cannot leave on time.

    A silent beat only degrades: the workers' loops plan by themselves.
    """
    parts = {name: _ask(question) for name, question in QUESTIONS.items()}
    blocking = {name: said for name, said in parts.items() if name != "beat" and said != "ok"}
    status = "unavailable" if blocking else "ok" if parts["beat"] == "ok" else "degraded"
    return JsonResponse({"status": status, "parts": parts}, status=503 if blocking else 200)


def _ask(question: Callable[[], str]) -> str:
    try:
        return question()
    except (DatabaseError, InterfaceError) as error:
        return f"the database does not answer ({type(error).__name__})"


def _database() -> str:
    database_now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} missing: run manage.py migrate" if missing else "ok"


def _heartbeat(kind: Any) -> Callable[[], str]:
    def ask() -> str:
        age = Heartbeat.age(kind, database_now())
        if age is None:
            return "never seen"
        return "ok" if age < SILENT else f"silent for {age:.0f} s"

    return ask


def _oldest_due() -> str:
    overdue = Delivery.objects.due(database_now() - timedelta(seconds=OVERDUE))
    return "deliveries are overdue" if overdue.exists() else "ok"


def _fence() -> str:
    row = Installation.objects.fenced()
    return f"fenced ({row.reason}): see manage.py fence" if row else "ok"


QUESTIONS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "dispatcher": _heartbeat(Heartbeat.Kind.LOOP),
    "fence": _fence,
    "due": _oldest_due,
    "beat": _heartbeat(Heartbeat.Kind.TICK),
}

urlpatterns = [path("healthz", healthz), path("readyz", readyz)]
