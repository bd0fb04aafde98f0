"""Hand-over: what a worker holds leaves at its second, as slots, limits and rights let it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from schedules.dispatch.ahead import Ahead
from schedules.dispatch.brake import LOOK_EVERY, Brake
from schedules.dispatch.claim import Claimed, release_marked
from schedules.dispatch.fence import Fence
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.members import Members, settle_members
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.pace import Paced, is_serial, pace
from schedules.dispatch.send import ON_THE_WIRE, Senders
from schedules.dispatch.slots import Slots
from schedules.dispatch.waiting import Waiting
from schedules.models import Delivery

logger = logging.getLogger(__name__)

WIRE_AHEAD = timedelta(seconds=0.3)  # the mark is written this long before the hand-over
WIRE_BATCH = 300  # with few slots left, wait a moment until so many can be marked in one write
WIRE_PAUSE = 0.05  # that moment in seconds: those under way may be slow
SLOT_PAUSE = 0.005  # seconds before slots are looked at again: many are freed at once

Persist = Callable[..., Awaitable[Any]]


class Handover:
    """Of one worker. `persist` does database work through restarts of the database; `take_in`
    is given each outcome."""

    def __init__(
        self, fence: Fence, senders: Senders, persist: Persist, take_in: Callable[[Outcome], None]
    ) -> None:
        self.waiting = Waiting()
        self.slots = Slots(settings.TEIJI_IN_FLIGHT)  # of what is marked
        self._fence, self._clock = fence, fence.clock
        self._senders = senders
        self._ahead = Ahead(senders)
        self._brake = Brake()
        self._persist = persist
        self._take_in = take_in
        self._stopping = False
        self._changed = asyncio.Event()  # more is waiting
        self._in_flight: dict[asyncio.Task[Outcome | None], Claimed] = {}
        self._unsent: list[Claimed] = []  # marked, but held back, or their lease was used up
        self._watching: asyncio.Task[None] | None = None
        self._started_at = 0.0  # when a batch was last handed over, by the loop's own clock

    @property
    def is_busy(self) -> bool:
        return bool(self.waiting or len(self.slots))

    def is_leaving(self) -> bool:
        """Whether something should have left by now and has not: it waits for a slot, or of one
        account more is marked than can be on the wire."""
        is_crowded = any(count > ON_THE_WIRE for count in self.slots.filled.values())
        return is_crowded or self.waiting.is_due(self._clock.now())

    def add(self, claimed: Sequence[Claimed]) -> None:
        """Hand these over when their time comes."""
        for account, delivery in {delivery.account.pk: delivery for delivery in claimed}.items():
            self.slots.most[account] = self._most(delivery)
        self.waiting.add(claimed)
        self._ahead.get_ready(claimed, self._clock.now())
        self._changed.set()

    def stop(self) -> None:
        """Take no more; a batch that is being marked is still handed over."""
        self._stopping = True
        self._ahead.stop()
        self._changed.set()

    async def run(self) -> None:
        """Hand over until stopped."""
        self._watching = asyncio.create_task(self._watch())
        while not self._stopping:
            await self._release_unsent()
            batch = self._take_due()
            if batch:
                await self._start_or_give_up(batch)
                continue
            seconds = self._seconds_to_next()
            if seconds > 0:
                await pause(self._changed, seconds)
            else:
                await asyncio.sleep(SLOT_PAUSE)

    async def finish(self) -> None:
        """Wait for the answers to what is under way."""
        await asyncio.gather(*self._in_flight, return_exceptions=True)
        if self._watching:
            self._watching.cancel()
        try:
            await self._release_unsent()
        except Exception:  # their lease ends, and another worker takes them
            logger.exception("what had not left could not be given back")

    async def _watch(self) -> None:
        """Hold back what is marked and may leave no more, until all under way has ended."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if marked := list(self._senders.waiting.values()):
                    held = await self._persist("wire", self._brake.held_among, marked)
                    self._senders.hold_back(held)
            except Exception:  # the next look may go well
                logger.exception("what is marked could not be looked at")

    def _take_due(self) -> list[Claimed]:
        """What is due next, into free slots; few slots for many wait a moment."""
        waited = asyncio.get_running_loop().time() - self._started_at
        if waited < WIRE_PAUSE and self._in_flight:
            free = sum(
                min(count, self.slots.left_for(account))
                for account, count in self.waiting.held().items()
            )
            if free < min(WIRE_BATCH, len(self.waiting)):
                return []
        return self.waiting.take(self._clock.now() + WIRE_AHEAD, self.slots)

    def _seconds_to_next(self) -> float:
        """0: one is due, and waits for a slot."""
        soonest = self.waiting.soonest()
        if soonest is None:
            return float(settings.TEIJI_POLL_SECONDS)
        return max((soonest - WIRE_AHEAD - self._clock.now()) / timedelta(seconds=1), 0.0)

    async def _start_or_give_up(self, batch: list[Claimed]) -> None:
        """Hand these over. If that fails, give back what has not left, and fail."""
        try:
            await self._start(batch)
        except BaseException:
            under_way = {delivery.id: delivery for delivery in self._in_flight.values()}
            self.slots.keep(delivery.account.pk for delivery in under_way.values())
            self._unsent += [delivery for delivery in batch if delivery.id not in under_way]
            raise

    def _most(self, delivery: Claimed) -> int:
        """How many of its account's may be marked at once."""
        if is_serial(delivery):
            return 1
        # What is marked and lost is sent again where there is a key: it may be marked ahead.
        return self.slots.size if self._senders.takes_key(delivery.account) else ON_THE_WIRE

    async def _start(self, batch: list[Claimed]) -> None:
        """Hand these over. Each of them has a slot."""
        self._started_at = asyncio.get_running_loop().time()
        allowed = await self._pace(batch)
        members = await self._members([delivery for delivery, _at in allowed])
        empty = [d for d, _at in allowed if d.is_batch and members.get(d.id) == ()]
        allowed = [(d, at) for d, at in allowed if d not in empty] if empty else allowed
        self._leave_out(empty, Delivery.Reason.OPTED_OUT)
        # Tried again where the answer was lost: the mark may have been written.
        marked, barred, lease_until = await self._persist(
            "wire", lambda: self._mark([d for d, _at in allowed])
        )
        leaving = [(delivery, at) for delivery, at in allowed if delivery.id in marked]
        for delivery, at in leaving:
            to = members.get(delivery.id, ())
            task = asyncio.create_task(self._senders.hand_over(delivery, at, lease_until, to))
            self._in_flight[task] = delivery
            task.add_done_callback(self._note)
        for delivery, _at in allowed:
            if delivery.id not in marked:
                self.slots.empty(delivery.account.pk)
            if delivery.id in barred:
                self._take_in(self._senders.barred(delivery, barred[delivery.id]))

    def _mark(self, allowed: list[Claimed]) -> tuple[set[int], dict[int, str], datetime]:
        if self._clock.is_far_behind():
            self._fence.look()  # what is held may be late by more than its grace, or another's
        return mark_wire(allowed, self._clock.now())

    async def _pace(self, batch: list[Claimed]) -> list[tuple[Claimed, datetime]]:
        """Those that their limits let go, with when; the others wait again."""
        paced: Paced = await self._persist("wire", lambda: pace(batch, self._clock.now()))
        for later, until in paced.waiting:
            self.waiting.put_back(later, until + WIRE_AHEAD)
            for delivery in later:
                self.slots.empty(delivery.account.pk)
        for delivery in paced.given_back:
            self.slots.empty(delivery.account.pk)
        self._leave_out(paced.left_out, Delivery.Reason.BUSY)
        return [(d, paced.times[d.id]) for d in batch if d.id in paced.times]

    async def _members(self, leaving: list[Claimed]) -> Members:
        batches = [delivery for delivery in leaving if delivery.is_batch]
        return await self._persist("wire", settle_members, batches) if batches else {}

    def _leave_out(self, barred: list[Claimed], reason: str) -> None:
        """None of these is sent."""
        for delivery in barred:
            self.slots.empty(delivery.account.pk)
            self._take_in(self._senders.barred(delivery, reason))

    def _note(self, task: asyncio.Task[Outcome | None]) -> None:
        delivery = self._in_flight.pop(task)
        self.slots.empty(delivery.account.pk)
        if task.cancelled():
            return
        outcome = task.result()
        if outcome:
            self._take_in(outcome)
        else:
            self._unsent.append(delivery)

    async def _release_unsent(self) -> None:
        if self._unsent:
            unsent, self._unsent = self._unsent, []
            await self._persist("wire", release_marked, unsent)


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long; leave it cleared."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
