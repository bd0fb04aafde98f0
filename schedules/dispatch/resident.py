"""The loop that lives beside a Celery worker, in a thread of its own."""

import asyncio
import gc
import logging
import threading
import time
from contextlib import suppress

from schedules.dispatch.events import run
from schedules.dispatch.loop import Loop

logger = logging.getLogger(__name__)

FINISH_SECONDS = 40  # longer than a channel may take to answer
RESTART_SECONDS = 1


class Resident:
    """At most one loop in this process."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._events: asyncio.AbstractEventLoop | None = None
        self._loop: Loop | None = None
        self._is_stopped = False
        self._told = ""  # of what the sender died the last time

    def start(self) -> None:
        if self._thread is None:
            _collect_seldom()
            self._thread = threading.Thread(target=self._run, name="teiji-loop", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Let the loop look for work now."""
        if self._events and self._loop and not self._events.is_closed():
            self._events.call_soon_threadsafe(self._loop.wake)

    def stop(self) -> None:
        """Claim no more; finish what is under way."""
        self._is_stopped = True
        if self._events and self._loop and self._thread and self._thread.is_alive():
            with suppress(RuntimeError):  # closed: it has died, and is not started again
                self._events.call_soon_threadsafe(self._loop.stop)

    def wait(self) -> None:
        """Return when all that was under way is settled."""
        if self._thread:
            self._thread.join(FINISH_SECONDS)

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                run(self._live())
            except Exception as error:  # a worker without its loop would look well and send nothing
                with suppress(Exception):  # nor may a log that cannot be written end it
                    self._tell(error)
                time.sleep(RESTART_SECONDS)

    def _tell(self, error: Exception) -> None:
        """The traceback once: where tables are missing, it dies of the same each second."""
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        words = "the sender has died and is started again (%s); manage.py doctor may say why"
        logger.error(words, said, exc_info=error if said != self._told else None)
        self._told = said

    async def _live(self) -> None:
        self._events = asyncio.get_running_loop()
        self._loop = Loop()
        if self._is_stopped:  # asked to stop while it was being made
            return
        logger.info("the sender of worker %s has started", self._loop.name)
        await self._loop.run()


def _collect_seldom() -> None:
    """Thousands of short-lived objects in flight set the garbage collector off again and again,
    over all that was ever loaded: measured at 17 % of the CPU time of a large run."""
    gc.freeze()
    gc.set_threshold(300_000, 20, 100)


resident = Resident()
