"""Celery's beat, which also says that it goes round: its container is judged by that alone, since
it is no fault of beat's when its broker or all workers are away."""

import logging
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

logger = logging.getLogger(__name__)

# deploy/heartbeat.py looks when it was written last.
ALIVE = Path(gettempdir()) / "teiji-beat"


class Scheduler(DatabaseScheduler):
    """Goes round though nothing can be sent."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        say_alive()
        return float(super().tick(*args, **kwargs))

    def apply_entry(self, *args: Any, **kwargs: Any) -> None:
        """Each may wait for a broker that says nothing, until it is given up."""
        say_alive()
        super().apply_entry(*args, **kwargs)

    def _ensure_connected(self) -> Any:
        """As Celery's, which tries for up to an hour: that is a sign of life as well."""
        most = self.app.conf.broker_connection_max_retries
        return self.connection.ensure_connection(_failed, most)


def say_alive() -> None:
    with suppress(OSError):  # a full disk must not stop it
        ALIVE.touch()


def _failed(error: Exception, seconds: float) -> None:
    """Never the broker's own words: they may hold its URL."""
    say_alive()
    kind = type(error).__name__
    logger.error("the broker does not answer (%s); asked again in %.0f s", kind, seconds)
