"""The loop of one worker: claims ahead, hands over on the second, settles in bulk.

It polls the database by itself, so that messages leave on time with beat and broker dead. It
runs beside every Celery worker (resident.py) and in `manage.py dispatch`.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from logs.chain.seal import seal
from logs.stats.tally import roll_up
from schedules.dispatch import hour, meter
from schedules.dispatch.check_accounts import Checker
from schedules.dispatch.claim import Claimed, claim, claimed_as, release, renew
from schedules.dispatch.counts import Asker
from schedules.dispatch.expire import expire
from schedules.dispatch.fence import Fence
from schedules.dispatch.handover import Handover, pause
from schedules.dispatch.hear import Listener
from schedules.dispatch.herald import Herald
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.pace import note_answers
from schedules.dispatch.plan import plan
from schedules.dispatch.poster import Poster
from schedules.dispatch.preflight.turn import Lookout
from schedules.dispatch.remind import remind
from schedules.dispatch.send import Senders, warm_up
from schedules.dispatch.settle import settle
from schedules.dispatch.stand_in import ask_deputies
from schedules.dispatch.stops import resume_spent
from schedules.dispatch.sweep import sweep
from schedules.dispatch.tell import Teller
from schedules.dispatch.threads import DATABASE_AWAY, DatabaseThreads
from schedules.models import Delivery, Heartbeat
from schedules.moving.late import follow
from schedules.outcomes.keep import keep_up

logger = logging.getLogger(__name__)

CLAIM_AHEAD = 10_000  # deliveries held at most, waiting or under way
CLAIM_SOON = 250  # with fewer waiting, more is claimed at once
CLAIM_LEAST = 100  # of what is late, however many workers share it
MOST_COUNTED = 50_000  # deliveries: beyond, every worker has enough to do
SETTLE_EVERY = 0.02  # seconds in which answers gather for one write
SETTLE_BUSY = 4.0  # the same while others wait to be handed over: those go first
RENEW_AFTER = timedelta(seconds=1)  # after its time, for what still waits for a slot
TELL_EVERY = 2.0  # seconds between two looks at what administrators are to be told
POST_EVERY = 1.0  # seconds between two looks at what other systems are to be told
HUNG_AFTER = 15.0  # seconds without a round, after which it gives no more signs of life
UPKEEP_EVERY = 1.0  # seconds between plan, sweep and a look at the clock
ASK_EVERY = 1.0  # seconds between looks at what channels told, and are to be asked about
METER_EVERY = 10.0  # seconds between looks at what is to be asked of channels that bill
HOUR_EVERY = 60.0  # seconds between looks at whether the duty of the hour was done
FOLLOW_EVERY = 5.0  # seconds between looks at what was written of a unit that had just moved
LOOK_EVERY = 2.0  # seconds between looks at runs that come within some minutes
DATABASE_PAUSE = 1.0  # seconds before a database that failed is asked again


class Loop:
    """One worker's loop. Any number may run on any number of machines."""

    def __init__(self, name: str = "") -> None:
        # Told apart from one that had the same number: in a container each is the first.
        self.name = name or f"{socket.gethostname()}:{token_hex(3)}:{os.getpid()}"
        self._fence = Fence()
        self.clock = self._fence.clock
        self._workers = 1  # that share what is due
        self._unanswered: UUID | None = None  # a claim whose answer was lost: it may hold some
        self.sent = 0
        self._senders = Senders(self.clock)
        self._database = DatabaseThreads(
            "claim",
            "wire",
            "settle",
            "upkeep",
            "ask",
            "meter",
            "tell",
            "post",
            "look",
            "hour",
            "check",
        )
        self._round_at = time.monotonic()  # when the claimer last went round
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()  # for the claimer: there may be something to claim
        self._answered = asyncio.Event()  # for the settler
        self._outcomes: list[Outcome] = []
        self._may_wait = True  # all of them have a key: lost, they would be asked for again
        self._administrators = Teller(partial(self._database.call, "tell"), self.clock.now)
        self._poster = Poster(partial(self._database.call, "post"), self.clock.now)
        self._herald = Herald(partial(self._database.call, "post"), self.clock.now)
        self._listener = Listener(partial(self._database.call, "ask"), self._senders)
        self._counts = Asker(partial(self._database.call, "meter"), self._senders)
        self._checker = Checker(partial(self._database.call, "check"), self._senders)
        self._lookout = Lookout(partial(self._database.call, "look"), self._senders)
        self._handover = Handover(self._fence, self._senders, self._persist, self._take_in)

    def wake(self) -> None:
        """Look for work now. From the loop's own thread."""
        self._woken.set()

    def stop(self) -> None:
        """Claim no more; finish what is under way. From the loop's own thread."""
        self._stopping.set()
        self._woken.set()
        self._handover.stop()

    async def run(self, *, once: bool = False) -> None:
        """Work until stopped; with `once`, until nothing is due within the lead."""
        try:
            await self._work(once=once)
        finally:
            await self._poster.close()
            await self._senders.close()
            await self._database.close()

    async def _work(self, *, once: bool) -> None:
        # Before all else: this may be a copy that must not send.
        await self._persist("upkeep", self._fence.look)
        await self._persist("upkeep", warm_up)
        if once:
            await self._upkeep()
            await self._listener.turn()
        tasks = [asyncio.create_task(self._handover.run()), asyncio.create_task(self._settler())]
        if not once:
            tasks += [asyncio.create_task(work) for work in (self._upkeeper(), *self._beside())]
        try:
            while not self._stopping.is_set():
                _raise_if_one_ended(tasks)
                claimed = await self._claim()
                self._round_at = time.monotonic()
                if once and not (claimed or self._is_busy()):
                    break
                await pause(self._woken, settings.TEIJI_POLL_SECONDS)
        finally:
            await self._finish(tasks)
        if once:
            await self._upkeep()
            await self._listener.turn()
            await self._tell()
            await self._poster.turn()
            await self._herald.turn()
        with suppress(*DATABASE_AWAY):  # then it is silent, as one that was killed
            await self._database.call("upkeep", Heartbeat.end, Heartbeat.Kind.LOOP, self.name)

    # Claiming.

    async def _claim(self) -> int:
        """Take more of what is due; returns how many."""
        held = self._handover.waiting.held() + self._handover.slots.filled
        free = max(CLAIM_AHEAD - held.total(), 0)
        full = [account for account, count in held.items() if count >= free]
        overdue = self._handover.waiting.overdue(self.clock.now() - RENEW_AFTER)
        try:
            claimed: list[Claimed] = await self._database.call(
                "claim", self._claim_more, overdue, limit=free // 2, full=full
            )
        except DATABASE_AWAY:
            logger.exception("claim: the database does not answer")
            return 0
        self._handover.add(claimed)
        return len(claimed)

    def _claim_more(
        self, overdue: Sequence[Claimed], *, limit: int, full: Sequence[int]
    ) -> list[Claimed]:
        now = self.clock.now()
        if overdue:
            renew(overdue, now)
        if self._unanswered:
            claimed, self._unanswered = claimed_as(self._unanswered), None
            return claimed
        part = min(self._part(now), limit) if limit else 0
        if not part:
            return []
        token = self._unanswered = uuid4()
        claimed = claim(now, worker=self.name, limit=part, full=full, token=token)
        self._unanswered = None
        return claimed

    def _part(self, now: datetime) -> int:
        """How many this worker may take, so that none idles while another has too much: with
        what all of them hold already, each its part. What is late goes to whoever comes."""
        until = now + timedelta(seconds=settings.TEIJI_LEAD_SECONDS)
        due = Delivery.objects.due(until)[:MOST_COUNTED].count()
        if not due:
            return 0
        held = Delivery.objects.waiting()[:MOST_COUNTED].count()
        part = -(-(due + held) // self._workers) - len(self._handover.waiting)
        late = Delivery.objects.due(now)[:MOST_COUNTED].count()
        if late:
            part = max(part, -(-late // self._workers), CLAIM_LEAST)
        return max(part, 0)

    # Settling.

    def _take_in(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._may_wait &= outcome.takes_key
        self._answered.set()

    async def _settler(self) -> None:
        while not (self._stopping.is_set() and not self._is_busy()):
            await self._answered.wait()
            await self._gather()
            await self._settle()

    async def _gather(self) -> None:
        """Let answers come together. Only those of channels with a key may wait for long: lost
        with this worker, they are asked for again; any other would be in doubt."""
        loop = asyncio.get_running_loop()
        end = loop.time() + SETTLE_BUSY
        await asyncio.sleep(SETTLE_EVERY)
        while self._handover.is_leaving() and loop.time() < end and self._may_wait:
            await asyncio.sleep(SETTLE_EVERY)

    async def _settle(self) -> None:
        self._answered.clear()
        batch, self._outcomes, self._may_wait = self._outcomes, [], True
        if batch:
            await self._write(batch)
        if len(self._handover.waiting) < CLAIM_SOON:
            self._woken.set()

    async def _write(self, batch: list[Outcome]) -> None:
        """Settle the batch. An outcome is not given up for a database that is away; one that
        cannot be written must not hold up the others: its lease runs out."""
        try:
            self.sent += await self._persist("settle", settle, batch)
            await self._persist("settle", note_answers, batch)
        except Exception:  # of whatever kind: the others' outcomes must not be lost with it
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
        await call("upkeep", self._fence.look)
        await self._beat()
        while await call("upkeep", plan, self.clock.now()):
            self._woken.set()
            await self._beat()
        await call("upkeep", expire, self.clock.now())
        if await call("upkeep", sweep, self.clock.now()):
            self._woken.set()
        await call("upkeep", resume_spent, self.clock.now())
        alive = await call("upkeep", Heartbeat.alive, Heartbeat.Kind.LOOP, self.clock.now())
        self._workers = max(alive, 1)
        for account, values in self._senders.renewed():
            await call("upkeep", account.renew_secrets, values)
        await call("upkeep", roll_up, self.clock.now())
        await call("upkeep", keep_up, self.clock.now())
        await call("upkeep", seal, self.clock.now())

    def _beside(self) -> list[Coroutine[Any, Any, None]]:
        """What must not hold up the upkeep: it asks those who may not answer."""
        return [
            _again_and_again(self._listener.turn, ASK_EVERY, "channels could not be asked"),
            _again_and_again(self._checker.turn, ASK_EVERY, "accounts could not be checked"),
            _again_and_again(self._meter, METER_EVERY, "quotas or counts could not be read"),
            _again_and_again(self._lookout.turn, LOOK_EVERY, "coming runs could not be looked at"),
            # An alert that fails disturbs nothing that is sent.
            _again_and_again(self._tell, TELL_EVERY, "alerts could not be told"),
            _again_and_again(self._poster.turn, POST_EVERY, "webhooks could not be posted"),
            _again_and_again(self._herald.turn, TELL_EVERY, "people could not be told of results"),
            _again_and_again(self._hour, HOUR_EVERY, "the duty of the hour could not be done"),
            _again_and_again(self._follow, FOLLOW_EVERY, "a moved unit could not be followed"),
        ]

    async def _meter(self) -> None:
        call = self._database.call
        accounts = await call("meter", meter.take_accounts, self.clock.now())
        rooms = await call("meter", meter.rooms_to_count, self.clock.now())
        if accounts or rooms:
            answers = await meter.read(accounts, rooms, self._senders)
            await call("meter", meter.write, answers, self.clock.now())
        await self._counts.turn()

    async def _tell(self) -> None:
        await self._administrators.turn()

    async def _hour(self) -> None:
        await self._database.call("hour", remind, self.clock.now())
        await self._database.call("hour", ask_deputies, self.clock.now())
        await self._database.call("hour", hour.turn, self.clock.now())

    async def _follow(self) -> None:
        await self._database.call("hour", follow, self.clock.now())

    async def _beat(self) -> None:
        """Say that this worker lives: of one that is silent the others take over. One whose
        claimer hangs does not live, though its upkeep goes on."""
        if time.monotonic() - self._round_at > HUNG_AFTER:
            logger.critical("worker %s hangs: it has claimed nothing for long", self.name)
            return
        beat, now = Heartbeat.beat, self.clock.now()
        await self._database.call("upkeep", beat, Heartbeat.Kind.LOOP, self.name, now)

    # Stopping.

    async def _finish(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Nothing is cut off: a batch that is being marked is handed over, an answer settled."""
        self.stop()
        pump, settler, *upkeepers = tasks
        for task in upkeepers:
            task.cancel()
        await asyncio.gather(pump, *upkeepers, return_exceptions=True)
        held = self._handover.waiting.take_all()
        if held:
            await self._persist("claim", release, held)
        await self._handover.finish()
        self._answered.set()
        await asyncio.gather(settler, return_exceptions=True)
        await self._settle()

    def _is_busy(self) -> bool:
        return self._handover.is_busy or bool(self._outcomes)

    async def _persist(self, kind: str, work: Callable[..., Any], *args: Any) -> Any:
        """Do it, through restarts of the database."""
        while True:
            try:
                return await self._database.call(kind, work, *args)
            except DATABASE_AWAY:
                logger.exception("%s: the database does not answer, trying again", kind)
                await asyncio.sleep(DATABASE_PAUSE)


async def _again_and_again(
    work: Callable[[], Awaitable[Any]], seconds: float, trouble: str
) -> None:
    while True:
        try:
            await work()
        except Exception:  # whatever it was: the next round may go well, and nothing waits for it
            logger.exception(trouble)
        await asyncio.sleep(seconds)


def _raise_if_one_ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """A loop of which a part has died is no loop: end it, and let another take its place."""
    for task in tasks:
        if task.done():
            task.result()
