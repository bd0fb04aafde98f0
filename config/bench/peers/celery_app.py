"""What the two peers on Celery have in common.

Broker: Redis, or a folder where none was given; no results, no rate limits, acknowledged early
(as it comes). Workers: as many as Teiji has but two at the least, the best set-up known, each
with 32 threads; without gossip, mingle and heartbeats, and with a log of warnings alone.
"""

from collections.abc import Sequence
from pathlib import Path

from celery import Celery
from celery.signals import beat_init, worker_ready

from .base import say_ready, told
from .push import push

THREADS = 32
WORKERS = 2
VISIBILITY_SECONDS = 12 * 3600  # an eta beyond it would be delivered twice


def make_app(name: str, *, fixups: Sequence[str]) -> Celery:
    """The application with its one task, `push`."""
    app = Celery(name, fixups=list(fixups), set_as_current=False)
    app.conf.update(
        broker_url=told("BROKER_URL") or "memory://",
        broker_connection_retry_on_startup=True,
        task_ignore_result=True,
        timezone="UTC",
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_disable_rate_limits=True,
    )
    if told("BROKER_URL").startswith("filesystem"):
        app.conf.broker_transport = "peers.folder:Transport"
        app.conf.broker_transport_options = _folders()
    else:
        app.conf.broker_transport_options = {
            "global_keyprefix": told("KEY_PREFIX"),
            "visibility_timeout": VISIBILITY_SECONDS,
        }
    app.task(name="push")(push)
    worker_ready.connect(say_ready)
    beat_init.connect(say_ready)
    return app


def workers(module: str, count: int) -> dict[str, list[str]]:
    """The commands of the workers, by name."""
    options = ["-P", "threads", "-c", str(THREADS), "--loglevel", "WARNING",
               "--without-gossip", "--without-mingle", "--without-heartbeat"]  # fmt: skip
    return {
        name: ["-m", "celery", "-A", module, "worker", "--hostname", f"{name}@%h", *options]
        for name in (f"worker{number + 1}" for number in range(max(count, WORKERS)))
    }


def _folders() -> dict[str, str | float]:
    messages, control = Path(told("FOLDER")) / "messages", Path(told("FOLDER")) / "control"
    for folder in (messages, control):
        folder.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
        "polling_interval": 0.1,
    }
