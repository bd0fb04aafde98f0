"""The loop of one worker: claims ahead, hands over on the second, settles in bulk.

It polls the database by itself, so that messages leave on time with beat and broker dead. It
runs beside every Celery worker (resident.py) and in `manage.py dispatch`.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from schedules.dispatch.claim import Claimed, claim, mark_wire, release, renew
from schedules.dispatch.clock import Clock
from schedules.dispatch.confirm import ask, due_questions, write_answers
from schedules.dispatch.pace import Paced, pace, slow_down
from schedules.dispatch.plan import plan
from schedules.dispatch.send import Senders, warm_up
from schedules.dispatch.settle import Outcome, settle
from schedules.dispatch.slots import Slots
from schedules.dispatch.sweep import sweep
from schedules.dispatch.threads import DatabaseThreads
from schedules.dispatch.waiting import Waiting
from schedules.models import Heartbeat

logger = logging.getLogger(__name__)

CLAIM_AHEAD = 1000  # deliveries held, waiting or under way: the rest is for other workers
WIRE_AHEAD = timedelta(seconds=0.15)  # the mark is written this long before the hand-over
WIRE_BATCH = 100  # with few slots left, wait a moment until so many can be marked in one write
WIRE_PAUSE = 0.05  # that moment in seconds: those under way may be slow
SLOT_PAUSE = 0.005  # seconds before slots are looked at again: many are freed at once
SETTLE_EVERY = 0.02  # seconds in which answers gather for one write
SETTLE_BUSY = 0.1  # the same while others wait to be handed over: those go first
RENEW_AFTER = timedelta(seconds=1)  # after its time, for what still waits for a slot
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
        self._waiting = Waiting()
        self._slots = Slots(settings.TEIJI_IN_FLIGHT)
        self._in_flight: dict[asyncio.Task[Outcome | None], Claimed] = {}
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
        """Take more of what is due; returns how many."""
        held = self._waiting.held() + self._slots.filled
        free = CLAIM_AHEAD - held.total()
        if free < 2:
            return 0
        full = [account for account, count in held.items() if count >= free]
        try:
            claimed: list[Claimed] = await self._database.call(
                "claim", self._claim_more, limit=free // 2, full=full
            )
        except DATABASE_AWAY:
            logger.exception("claim: the database does not answer")
            return 0
        self._waiting.add(claimed)
        self._changed.set()
        return len(claimed)

    def _claim_more(self, *, limit: int, full: Sequence[int]) -> list[Claimed]:
        now = self.clock.now()
        overdue = self._waiting.overdue(now - RENEW_AFTER)
        if overdue:
            renew(overdue, now)
        return claim(now, worker=self.name, limit=limit, full=full)

    # Handing over.

    async def _pump(self) -> None:
        while not self._stopping.is_set():
            batch = self._take_due()
            if batch:
                await self._start(batch)
                continue
            seconds = self._seconds_to_next()
            if seconds > 0:
                await _pause(self._changed, seconds)
            else:
                await asyncio.sleep(SLOT_PAUSE)

    def _take_due(self) -> list[Claimed]:
        """What is due next, as far as slots are free; few slots for many wait a moment."""
        waited = asyncio.get_running_loop().time() - self._started_at
        if waited < WIRE_PAUSE and self._in_flight:
            free = sum(
                min(count, self._slots.left_for(account))
                for account, count in self._waiting.held().items()
            )
            if free < min(WIRE_BATCH, len(self._waiting)):
                return []
        return self._waiting.take(self.clock.now() + WIRE_AHEAD, self._slots)

    def _seconds_to_next(self) -> float:
        """0: one is due, and waits for a slot."""
        soonest = self._waiting.soonest()
        if soonest is None:
            return float(settings.TEIJI_POLL_SECONDS)
        return max((soonest - WIRE_AHEAD - self.clock.now()) / timedelta(seconds=1), 0.0)

    async def _start(self, batch: list[Claimed]) -> None:
        """Hand these over, as far as their limits and the rights allow it now. Each of them has
        a slot."""
        self._started_at = asyncio.get_running_loop().time()
        self._starting = len(batch)
        paced: Paced = await self._persist("wire", lambda: pace(batch, self.clock.now()))
        for later, until in paced.waiting:
            self._waiting.put_back(later, until + WIRE_AHEAD)
        allowed = [delivery for delivery in batch if delivery.id in paced.times]
        # Tried again where the answer was lost: the mark may have been written.
        marked, barred, lease_until = await self._persist(
            "wire", lambda: mark_wire(allowed, self.clock.now())
        )
        self._starting = 0
        for delivery in batch:
            if delivery.id in marked:
                at = paced.times[delivery.id]
                task = asyncio.create_task(self._senders.hand_over(delivery, at, lease_until))
                self._in_flight[task] = delivery
                task.add_done_callback(self._note)
                continue
            self._slots.empty(delivery.account.pk)
            if delivery.id in barred:
                self._outcomes.append(self._senders.barred(delivery, barred[delivery.id]))
                self._answered.set()

    def _note(self, task: asyncio.Task[Outcome | None]) -> None:
        self._slots.empty(self._in_flight.pop(task).account.pk)
        self._changed.set()
        outcome = None if task.cancelled() else task.result()
        if outcome:
            self._outcomes.append(outcome)
        self._answered.set()

    # Settling.

    async def _settler(self) -> None:
        while not (self._stopping.is_set() and not self._is_busy()):
            await self._answered.wait()
            await asyncio.sleep(SETTLE_BUSY if self._waiting else SETTLE_EVERY)
            await self._settle()

    async def _settle(self) -> None:
        self._answered.clear()
        batch, self._outcomes = self._outcomes, []
        if batch:
            await self._write(batch)
        if len(self._waiting) < CLAIM_AHEAD // 4:
            self._woken.set()

    async def _write(self, batch: list[Outcome]) -> None:
        """Settle the batch. An outcome is not given up for a database that is away; one that
        cannot be written must not hold up the others: its lease runs out."""
        try:
            self.sent += await self._persist("settle", settle, batch)
            await self._persist("settle", slow_down, batch)
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
        held = self._waiting.take_all()
        if held:
            await self._persist("claim", release, held)
        await asyncio.gather(*self._in_flight, return_exceptions=True)
        self._answered.set()
        await asyncio.gather(settler, return_exceptions=True)
        await self._settle()

    def _is_busy(self) -> bool:
        return bool(self._waiting or self._starting or self._in_flight or self._outcomes)

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
