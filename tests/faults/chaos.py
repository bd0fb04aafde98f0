"""A seeded controller that breaks everything, and a stream of schedules meanwhile.

The seed decides what is done and when; what it meets depends on the machine's own timing.
"""

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection

from channels.models import Image, Room
from schedules.models import Delivery, Installation, Schedule
from schedules.states import ScheduleState
from tests.fakes.faults import FaultKind
from tests.faults.bookings import Bookings
from tests.faults.fleet import Fleet, Member
from tests.faults.servers import Postgres, Redis

WORKERS, BEATS = 4, 2
ROOMS = 6  # of each channel
MOST_RETRIES = 10  # as many as one may ask for: few deliveries spend them all
IN_TWO_PARTS = 0.25  # of the schedules
PAUSE = 0.02  # seconds between two looks at what is to be done
AWAY = (OperationalError, InterfaceError)
DRAIN_SECONDS = 120.0
FAULTS = [kind for kind in FaultKind if kind != FaultKind.MONTHLY_LIMIT]
WRONG_MINUTES = (-120, -7, -2, 2, 7, 120)  # by which a machine's clock is wrong
MANY_TIMES = (FaultKind.RATE_LIMIT, FaultKind.ERROR_BEFORE, FaultKind.ERROR_AFTER)


@dataclass
class Chaos:
    """One run of it."""

    seed: int
    fleet: Fleet
    bookings: Bookings
    postgres: Postgres
    redis: Redis
    picture: Image
    naive: tuple[str, ...] = ()
    diary: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    died_by_themselves: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.begun = time.monotonic()
        self.coming: list[tuple[float, Callable[[], None]]] = []
        self.expected_to_die: set[int] = set()
        self.beats: list[Member] = []
        self.workers: list[Member] = []
        self.wrong: list[Member] = []  # those whose clock is
        self.rooms: list[Room] = self.bookings.vendors.rooms(ROOMS, ROOMS)
        self.acts: dict[Callable[[], None], int] = {
            self.kill_a_worker: 8,
            self.stop_a_worker: 6,
            self.terminate_a_worker: 2,
            self.break_a_channel: 16,
            self.shut_a_channel: 2,
            self.kill_a_beat: 1,
            self.stop_a_beat: 1,
            self.replace_a_worker_by_one_with_a_wrong_clock: 4,
            self.replace_a_beat_by_one_with_a_wrong_clock: 1,
            self.flush_the_broker: 1,
            self.restart_the_broker: 1,
            self.crash_the_database: 1,
            self.crash_a_backend: 1,
            self.throw_everybody_out: 1,
        }

    def run(self, seconds: float) -> None:
        """Break things for so long, then heal all of it and wait for the last delivery. Can be
        called again: it goes on with what the seed brings next."""
        if not self.workers:
            self._populate()
        end = time.monotonic() + seconds
        next_act = next_booking = time.monotonic()
        while time.monotonic() < end:
            if time.monotonic() >= next_booking:
                self._book()
                next_booking += 1.0
            if time.monotonic() >= next_act:
                self._act()
                next_act += self.random.uniform(0.2, 1.2)
            self._do_what_is_due()
            self._revive()
            time.sleep(PAUSE)
        self.heal()
        try:
            self.bookings.wait_until_settled(DRAIN_SECONDS)
        except AssertionError:
            sys.stdout.write(self.fleet.log() + self._what_stands())
            raise

    def heal(self) -> None:
        """Everything up again, nothing misbehaves."""
        while self.coming:
            self._do_what_is_due()
            self._revive()
            time.sleep(PAUSE)
        self.bookings.vendors.heal()
        for member in self.fleet.living():
            member.resume()
        self._revive()
        self._expect_what_was_written()

    def summary(self) -> str:
        """What was done, in one line."""
        states = Counter(Delivery.objects.values_list("state", flat=True))
        late = sorted(Delivery.objects.exclude(lateness_ms=None).values_list("lateness_ms"))
        middle = late[len(late) // 2][0] if late else None
        return (
            f"seed {self.seed}: {len(self.bookings.expected)} schedules, deliveries"
            f" {dict(states)}, {len(self.bookings.vendors.accepted)} acceptances,"
            f" {self._sent_by(self.wrong)} by workers with a wrong clock,"
            f" median lateness {middle} ms; {dict(self.counts)}"
        )

    def _sent_by(self, members: list[Member]) -> int:
        pids = tuple(f":{member.pid}" for member in members)
        names = Delivery.objects.filter(state="sent").values_list("worker", flat=True)
        return sum(name.endswith(pids) for name in names)

    # Acts.

    def kill_a_worker(self) -> None:
        self._kill(self._one_of(self.workers))

    def kill_a_beat(self) -> None:
        self._kill(self._one_of(self.beats))

    def stop_a_worker(self) -> None:
        self._stop(self._one_of(self.workers), self.random.uniform(0.3, 7.0))

    def stop_a_beat(self) -> None:
        self._stop(self._one_of(self.beats), self.random.uniform(1.0, 5.0))

    def replace_a_worker_by_one_with_a_wrong_clock(self) -> None:
        place, minutes = self.random.randrange(WORKERS), self.random.choice(WRONG_MINUTES)
        self._kill(self.workers[place])
        self.workers[place] = self.fleet.worker(naive=self.naive, minutes_ahead=minutes)
        self.wrong.append(self.workers[place])
        self._note(f"{self.workers[place].name}'s clock is wrong by {minutes} min")

    def replace_a_beat_by_one_with_a_wrong_clock(self) -> None:
        place, minutes = self.random.randrange(BEATS), self.random.choice(WRONG_MINUTES)
        self._kill(self.beats[place])
        self.beats[place] = self.fleet.beat(minutes_ahead=minutes)
        self._note(f"{self.beats[place].name}'s clock is wrong by {minutes} min")

    def terminate_a_worker(self) -> None:
        member = self._one_of(self.workers)
        self.expected_to_die.add(member.pid)
        member.send(signal.SIGTERM)

    def break_a_channel(self) -> None:
        vendors = self.bookings.vendors
        fake = self.random.choice([vendors.line, vendors.webhook])
        kind = self.random.choice(FAULTS)
        times = self.random.randint(1, 20 if kind in MANY_TIMES else 4)
        seconds = self.random.choice([0.1, 0.5, 1.0, 2.0, 3.0])
        fake.faults.add(kind, times=times, seconds=seconds)
        self._note(f"{kind} × {times} of {type(fake).__name__}")

    def shut_a_channel(self) -> None:
        both = self.bookings.vendors.stands
        stand = self.random.choice([both.line, both.webhook])
        stand.shut()
        self._later(self.random.uniform(0.3, 2.0), stand.open)

    def flush_the_broker(self) -> None:
        if self.redis.process:
            self.redis.flush()

    def restart_the_broker(self) -> None:
        if self.redis.process:
            self.redis.crash()
            self._later(self.random.uniform(0.2, 4.0), self.redis.start)

    def crash_the_database(self) -> None:
        if self.postgres.process:
            self.postgres.crash()
            self._later(self.random.uniform(0.0, 3.0), self.postgres.start)

    def crash_a_backend(self) -> None:
        if self.postgres.process:
            with suppress(psycopg.Error):
                self.postgres.crash_a_backend()

    def throw_everybody_out(self) -> None:
        if self.postgres.process:
            with suppress(psycopg.Error):
                self.postgres.throw_out(str(connection.settings_dict["NAME"]))

    # What they are made of.

    def _populate(self) -> None:
        self.workers = [self._new_worker() for _ in range(WORKERS)]
        self.beats = [self.fleet.beat() for _ in range(BEATS)]
        self.fleet.wait_until_up(*self.workers)

    def _new_worker(self) -> Member:
        return self.fleet.worker(naive=self.naive)

    def _act(self) -> None:
        act = self.random.choices(list(self.acts), weights=list(self.acts.values()))[0]
        self.counts[act.__name__] += 1
        self._note(act.__name__)
        act()

    def _one_of(self, members: list[Member]) -> Member:
        return members[self.random.randrange(len(members))]

    def _kill(self, member: Member) -> None:
        self.expected_to_die.add(member.pid)
        member.send(signal.SIGKILL)

    def _stop(self, member: Member, seconds: float) -> None:
        member.stop()
        self._later(seconds, member.resume)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self.coming.append((time.monotonic() + seconds, what))

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        due = [what for at, what in self.coming if at <= now]
        self.coming = [(at, what) for at, what in self.coming if at > now]
        for what in due:
            what()

    def _revive(self) -> None:
        """As a supervisor would: what has died is started again."""
        for members, start in ((self.workers, self._new_worker), (self.beats, self.fleet.beat)):
            for place, member in enumerate(members):
                if member.ended is None:
                    continue
                if member.pid not in self.expected_to_die:
                    self.died_by_themselves.append(f"{member.name}: {member.ended}")
                members[place] = start()

    def _book(self) -> None:
        """One to three schedules; what the database did not take is not expected."""
        for _ in range(self.random.randint(1, 3)):
            rooms = self.random.sample(self.rooms, self.random.randint(1, 2 * ROOMS))
            number = self.counts["bookings"]
            self.counts["bookings"] += 1
            values: dict[str, Any] = {
                "text": f"Notice {number}",
                "priority": self.random.randrange(101),
                "max_retries": MOST_RETRIES,
            }
            if self.random.random() < IN_TWO_PARTS:
                values |= {"images": [self.picture], "interval_seconds": 1}
            try:
                self.bookings.once(rooms, self.random.uniform(1.5, 4.0), **values)
            except AWAY:
                self.counts["bookings without an answer"] += 1
                connection.close()

    def _expect_what_was_written(self) -> None:
        """A registration whose answer was lost may have been written all the same."""
        for schedule in self._schedules():
            assert schedule.date
            assert schedule.time
            due = datetime.combine(schedule.date, schedule.time, UTC)
            self.bookings.expected.add((schedule.pk, due))

    def _schedules(self) -> list[Schedule]:
        """All that are registered, once the database is there again: its last crash may be
        an act of just now."""
        while True:
            connection.close()
            try:
                return list(Schedule.objects.exclude(state=ScheduleState.DRAFT))
            except AWAY:
                time.sleep(PAUSE)

    def _what_stands(self) -> str:
        """For a run that does not end: what is open, who is fenced, who waits for whom."""
        query = "SELECT state, wait_event, now() - query_start, query FROM pg_stat_activity"
        with self.postgres.connect() as session:
            sessions = session.execute(f"{query} WHERE datname IS NOT NULL").fetchall()
        deliveries = Delivery.objects.filter(state__in=["planned", "sending"]).values()
        return "\n".join(map(str, [*Installation.objects.values(), *deliveries, *sessions]))

    def _note(self, what: str) -> None:
        self.diary.append(f"{time.monotonic() - self.begun:6.2f} {what}")
