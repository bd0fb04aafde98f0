"""The loop of one worker: claims ahead, hands over on the second, settles in bulk.

It polls the database by itself, so that messages leave on time with beat and broker dead. It
runs beside every Celery worker (resident.py) and in `manage.py dispatch`.
"""

import asyncio
import heapq
import logging
import os
import socket
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from schedules.dispatch.claim import Claimed, claim, mark_wire, release
from schedules.dispatch.clock import Clock
from schedules.dispatch.confirm import ask, due_questions, write_answers
from schedules.dispatch.plan import plan
from schedules.dispatch.send import Senders, warm_up
from schedules.dispatch.settle import Outcome, settle
from schedules.dispatch.sweep import sweep
from schedules.dispatch.threads import DatabaseThreads
from schedules.models import Heartbeat

logger = logging.getLogger(__name__)

CLAIM_AHEAD = 500  # deliveries held at most, waiting or under way: the rest is for other workers
WIRE_AHEAD = timedelta(seconds=0.15)  # the mark is written this long before the hand-over
WIRE_BATCH = 100  # with few slots left, wait a moment until so many can be marked in one write
WIRE_PAUSE = 0.05  # that moment in seconds: those under way may be slow
SETTLE_EVERY = 0.02  # seconds in which answers gather for one write
SETTLE_BUSY = 0.1  # the same while others wait to be handed over: those go first
UPKEEP_EVERY = 1.0  # seconds between plan, sweep, confirm and a look at the clock
DATABASE_PAUSE = 1.0  # seconds before a database that failed is asked again
DATABASE_AWAY = (OperationalError, InterfaceError)


class Loop:
    """One worker's loop. Any number may run on any number of machines."""

    def __init__(self, name: str = "") -> None:
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self.clock = Clock()
        self.sent = 0
        self._senders = Senders(self.clock)
        self._database = DatabaseThreads("claim", "wire", "settle", "upkeep")
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()  # for the claimer: there may be something to claim
        self._changed = asyncio.Event()  # for the pump: more is ready, or a slot is free
        self._answered = asyncio.Event()  # for the settler
        self._ready: list[tuple[datetime, int, Claimed]] = []  # a heap, the soonest first
        self._in_flight: set[asyncio.Task[Outcome | None]] = set()
        self._starting = 0  # deliveries that are being marked
        self._outcomes: list[Outcome] = []
        self._started_at = 0.0  # when a batch was last handed over, by the loop's own clock

    def wake(self) -> None:
        """Look for work now. From the loop's own thread."""
        self._woken.set()

    def stop(self) -> None:
        """Claim no more; finish what is under way. From the loop's own thread."""
        self._stopping.set()
        self._woken.set()
        self._changed.set()

    async def run(self, *, once: bool = False) -> None:
        """Work until stopped; with `once`, until nothing is due within the lead."""
        await self._persist("upkeep", self.clock.set_by_database)
        await self._persist("upkeep", warm_up)
        if once:
            await self._upkeep()
        tasks = [asyncio.create_task(self._pump()), asyncio.create_task(self._settler())]
        if not once:
            tasks.append(asyncio.create_task(self._upkeeper()))
        try:
            while not self._stopping.is_set():
                _raise_if_one_ended(tasks)
                claimed = await self._claim()
                if once and not (claimed or self._is_busy()):
                    break
                await _pause(self._woken, settings.TEIJI_POLL_SECONDS)
        finally:
            await self._finish(tasks)
        if once:
            await self._upkeep()
        await self._senders.close()
        await self._database.close()

    # Claiming.

    async def _claim(self) -> int:
        """Take what is due into the heap; returns how many."""
        limit = CLAIM_AHEAD - len(self._ready) - len(self._in_flight)
        if limit <= 0:
            return 0
        try:
            claimed = await self._database.call(
                "claim", claim, self.clock.now(), worker=self.name, limit=limit
            )
        except DATABASE_AWAY:
            logger.exception("claim: the database does not answer")
            return 0
        for delivery in claimed:
            heapq.heappush(self._ready, (delivery.next_try_at, delivery.id, delivery))
        self._changed.set()
        return len(claimed)

    # Handing over.

    async def _pump(self) -> None:
        while not self._stopping.is_set():
            batch = self._take_due()
            if batch:
                await self._start(batch)
            else:
                await _pause(self._changed, self._seconds_to_next())

    def _take_due(self) -> list[Claimed]:
        """What is due next, as far as slots are free; few slots for many wait a moment."""
        free = settings.TEIJI_IN_FLIGHT - len(self._in_flight)
        is_scarce = free < min(WIRE_BATCH, len(self._ready)) and bool(self._in_flight)
        waited = asyncio.get_running_loop().time() - self._started_at
        if free <= 0 or (is_scarce and waited < WIRE_PAUSE):
            return []
        until = self.clock.now() + WIRE_AHEAD
        batch: list[Claimed] = []
        while self._ready and len(batch) < free and self._ready[0][0] <= until:
            batch.append(heapq.heappop(self._ready)[2])
        return batch

    def _seconds_to_next(self) -> float:
        if not self._ready:
            return settings.TEIJI_POLL_SECONDS
        left = (self._ready[0][0] - WIRE_AHEAD - self.clock.now()) / timedelta(seconds=1)
        return max(left, 0.005 if len(self._in_flight) < settings.TEIJI_IN_FLIGHT else WIRE_PAUSE)

    async def _start(self, batch: list[Claimed]) -> None:
        self._started_at = asyncio.get_running_loop().time()
        self._starting = len(batch)
        # Tried again where the answer was lost: the mark may have been written.
        marked, barred, lease_until = await self._persist(
            "wire", lambda: mark_wire(batch, self.clock.now())
        )
        self._starting = 0
        for delivery in batch:
            if delivery.id in marked:
                task = asyncio.create_task(self._senders.hand_over(delivery, lease_until))
                self._in_flight.add(task)
                task.add_done_callback(self._note)
            elif delivery.id in barred:
                self._outcomes.append(self._senders.barred(delivery, barred[delivery.id]))
                self._answered.set()

    def _note(self, task: asyncio.Task[Outcome | None]) -> None:
        self._in_flight.discard(task)
        self._changed.set()
        outcome = None if task.cancelled() else task.result()
        if outcome:
            self._outcomes.append(outcome)
        self._answered.set()

    # Settling.

    async def _settler(self) -> None:
        while not (self._stopping.is_set() and not self._is_busy()):
            await self._answered.wait()
            await asyncio.sleep(SETTLE_BUSY if self._ready else SETTLE_EVERY)
            await self._settle()

    async def _settle(self) -> None:
        self._answered.clear()
        batch, self._outcomes = self._outcomes, []
        if batch:
            await self._write(batch)
        if len(self._ready) < CLAIM_AHEAD // 2:
            self._woken.set()

    async def _write(self, batch: list[Outcome]) -> None:
        """Settle the batch. An outcome is not given up for a database that is away; one that
        cannot be written must not hold up the others: its lease runs out."""
        try:
            self.sent += await self._persist("settle", settle, batch)
        except (DatabaseError, ValueError, TypeError):
            logger.exception("settle: a batch of %d was refused", len(batch))
            if len(batch) > 1:
                for outcome in batch:
                    await self._write([outcome])

    # Upkeep.

    async def _upkeeper(self) -> None:
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await self._upkeep()
            except Exception:  # whatever one row did, the others need their upkeep
                logger.exception("upkeep failed")
            took = asyncio.get_running_loop().time() - started
            await asyncio.sleep(max(UPKEEP_EVERY - took, 0.05))

    async def _upkeep(self) -> None:
        call = self._database.call
        await call("upkeep", self.clock.set_by_database)
        while await call("upkeep", plan, self.clock.now()):
            self._woken.set()
        await call("upkeep", sweep, self.clock.now())
        await call("upkeep", Heartbeat.beat, Heartbeat.Kind.LOOP, self.name, self.clock.now())
        questions = await call("upkeep", due_questions, self.clock.now())
        if questions:
            answers = await ask(questions, self._senders)
            await call("upkeep", write_answers, answers, self.clock.now())

    # Stopping.

    async def _finish(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Nothing is cut off: a batch that is being marked is handed over, an answer settled."""
        self.stop()
        pump, settler, *upkeepers = tasks
        for task in upkeepers:
            task.cancel()
        await asyncio.gather(pump, *upkeepers, return_exceptions=True)
        held, self._ready = [delivery for _, _, delivery in self._ready], []
        if held:
            await self._persist("claim", release, held)
        await asyncio.gather(*self._in_flight, return_exceptions=True)
        self._answered.set()
        await asyncio.gather(settler, return_exceptions=True)
        await self._settle()

    def _is_busy(self) -> bool:
        return bool(self._ready or self._starting or self._in_flight or self._outcomes)

    async def _persist(self, kind: str, work: Callable[..., Any], *args: Any) -> Any:
        """Do it, through restarts of the database."""
        while True:
            try:
                return await self._database.call(kind, work, *args)
            except DATABASE_AWAY:
                logger.exception("%s: the database does not answer, trying again", kind)
                await asyncio.sleep(DATABASE_PAUSE)


def _raise_if_one_ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """A loop of which a part has died is no loop: end it, and let another take its place."""
    for task in tasks:
        if task.done():
            task.result()


async def _pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long; leave it cleared."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
