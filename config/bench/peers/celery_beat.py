"""django-celery-beat: one clocked one-off row for each room, beat, and Celery's workers.

Set up as in celery_app.py. The rows share one clocked time and are written in bulk; beat looks
at least each second and keeps its connection to the database, PostgreSQL or SQLite.
"""

import json
from datetime import UTC, datetime

import django
from django.core.management import call_command

from .base import Peer
from .celery_app import make_app, workers
from .message import address

SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"


def _processes(count: int) -> dict[str, list[str]]:
    options = ["--scheduler", SCHEDULER, "--max-interval", "1", "--loglevel", "WARNING"]
    beat = ["-m", "celery", "-A", "peers.celery_beat", "beat", *options]
    return {**workers("peers.celery_beat", count), "beat": beat}


PEER = Peer(
    name="celery-beat",
    processes=_processes,
    jobs_a_second=1000,
    environment={"DJANGO_SETTINGS_MODULE": "peers.celery_beat_settings"},
)

app = make_app("celery-beat", fixups=["celery.fixups.django:fixup"])


def prepare() -> None:
    django.setup()
    call_command("migrate", verbosity=0)


def register(rooms: int, due_at: float) -> None:
    django.setup()
    # Models can be imported only now.
    from django_celery_beat.models import (  # noqa: PLC0415
        ClockedSchedule,
        PeriodicTask,
        PeriodicTasks,
    )

    clocked = ClockedSchedule.objects.create(clocked_time=datetime.fromtimestamp(due_at, UTC))
    PeriodicTask.objects.bulk_create(
        [
            PeriodicTask(
                name=f"Room {number}", task="push", args=json.dumps([address(number)]),
                clocked=clocked, one_off=True,
            )
            for number in range(rooms)
        ]
    )  # fmt: skip
    PeriodicTasks.update_changed()
