"""The fence: a copy of the database, or one that was set back, must not send again.

Looked at before a worker's first claim and at each upkeep. `is_down()` is what claim and mark
ask in their own statements, so that a fence that goes up holds for all workers at once.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from orgs.clock import database_now
from schedules.actions.fence import Trouble, own_installation, put_up, worsen
from schedules.dispatch.clock import Clock, counter
from schedules.dispatch.known import Known, recall, remember
from schedules.models import Installation
from schedules.models.installation import YOUNG
from schedules.place import difference_in_words, differences, present_place

logger = logging.getLogger(__name__)

Reason = Installation.Reason

UID = Installation._meta.get_field("uid")
CONDITION = (
    f"NOT EXISTS (SELECT 1 FROM {Installation._meta.db_table}"  # noqa: S608  (a name of our own)
    " WHERE fenced_at IS NOT NULL OR (uid = %s AND generation < %s))"
)
BACK = timedelta(seconds=5)  # servers that take over from each other differ by less
JUMP = 60.0  # seconds by which the database's clock may run ahead of this machine's counter
GROW_EVERY = timedelta(seconds=0.9)


@dataclass(frozen=True)
class Clocks:
    """What the clocks said: the database's, and around it this machine's counter and its wall
    clock. A process may be stopped for long between any two of them."""

    before: float
    database: datetime
    after: float
    wall: float


class Seen:
    """How far this process has seen the database come: read by its claims."""

    uid: UUID | None = None
    generation = 0

    def note(self, uid: UUID, generation: int) -> None:
        self.uid, self.generation = uid, generation


seen = Seen()


def is_down() -> RawSQL:
    """A condition for rows: nothing is fenced, and the database no older than this process has
    seen it. Written out: built by the ORM each time it would cost a claim 0.7 ms more."""
    uid = UID.get_db_prep_value(seen.uid, connection)
    return RawSQL(CONDITION, [uid, seen.generation], BooleanField())  # noqa: S611  (no text of others)


class Fence:
    """One worker's watch over the identity of its database and over its clock.

    The worker's own clock is set here alone: by a time that was judged, so that one to which the
    database jumps is not gone by before the fence stands.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        counter: Callable[[], float] = counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock or Clock(counter)
        self._counter, self._wall = counter, wall
        self._last: Clocks | None = None

    def look(self) -> bool:
        """Whether sending is fenced; puts the fence up where something is wrong, and then sets
        the worker's clock."""
        row = own_installation()
        known = recall(row.uid)
        # Once, and before the row that it is compared with: other threads and workers raise both.
        highest = _highest(row, known)
        if row.generation < highest:
            row = own_installation()
        # After the row, which holds a time that others have read.
        clocks = self._read()
        trouble = self._trouble(row, known, highest, clocks)
        if trouble and not row.fenced_at:
            put_up(trouble, now=clocks.database)
        elif trouble and row.reason == Reason.BY_HAND:
            worsen(trouble, now=clocks.database)
        self._remember(row, known, clocks, is_well=not (trouble or row.fenced_at))
        self._last = clocks
        self.clock.go_by(clocks.database, clocks.after)
        return bool(trouble or row.fenced_at)

    def _read(self) -> Clocks:
        before, database = self._counter(), database_now()
        return Clocks(before, database, after=self._counter(), wall=self._wall())

    def _trouble(
        self, row: Installation, known: Known, highest: int, clocks: Clocks
    ) -> Trouble | None:
        if row.generation < highest:
            return Trouble(
                Reason.RESTORED, f"It stands at {row.generation}; {highest} was seen before."
            )
        return _elsewhere(row, known) or self._clock_trouble(row, clocks)

    def _clock_trouble(self, row: Installation, clocks: Clocks) -> Trouble | None:
        assert row.clock_at is not None, "written with the row"
        if clocks.database < row.clock_at - BACK:
            return Trouble(
                Reason.CLOCK_BACK,
                f"It says {clocks.database:%F %T}, and has said {row.clock_at:%F %T} (UTC).",
            )
        ahead = self._seconds_ahead(row.clock_at, clocks)
        if ahead > JUMP:
            return Trouble(Reason.CLOCK_JUMP, f"It ran ahead by {ahead:.0f} s.")
        return None

    def _seconds_ahead(self, clock_at: datetime, clocks: Clocks) -> float:
        """By how much the database's clock outran this machine's counter, as far as that tells
        of a jump."""
        if self._last is None:
            return 0.0
        passed = clocks.after - self._last.before
        ahead = (clocks.database - self._last.database).total_seconds() - passed
        # Others saw the time go by: it was this worker that stood still.
        is_witnessed = (clocks.database - clock_at).total_seconds() < JUMP
        # A virtual machine that was paused wakes like this, with all its clocks put right. A
        # clock on the same machine that was set forward looks the same: the grace decides.
        walled = clocks.wall - self._last.wall - passed
        return 0.0 if is_witnessed or abs(walled - ahead) < JUMP else ahead

    def _remember(self, row: Installation, known: Known, clocks: Clocks, *, is_well: bool) -> None:
        generation = max(row.generation, _highest(row, known))
        if is_well:
            # Each start counts, however soon it follows another.
            since = clocks.database - GROW_EVERY if self._last else clocks.database + BACK
            generation += Installation.objects.grow(since, self._vouched(row, clocks))
        elif row.generation < generation:
            # Once the fence is lifted no machine that knows more may put it up again.
            Installation.objects.filter(pk=row.pk, generation__lt=generation).update(
                generation=generation
            )
        seen.note(row.uid, generation)
        # A fenced database becomes known too: whoever lifts the fence vouches for it.
        if generation != known.generation:
            remember(row.uid, generation)

    def _vouched(self, row: Installation, clocks: Clocks) -> datetime:
        """The time of which other workers may hold that it went by. One that has just started
        cannot tell a jump from hours in which nobody worked."""
        assert row.clock_at is not None, "written with the row"
        is_gap = (clocks.database - row.clock_at).total_seconds() > JUMP
        return row.clock_at if is_gap and self._last is None else clocks.database


def _highest(row: Installation, known: Known) -> int:
    of_process = seen.generation if seen.uid == row.uid else 0
    return max(known.generation or 0, of_process)


def _elsewhere(row: Installation, known: Known) -> Trouble | None:
    differing = differences(row.place, place := present_place())
    if differing:
        reason = Reason.RESTORED if differing == ["table"] else Reason.CLONE
        return Trouble(reason, difference_in_words(row.place, place))
    if known.is_copied and connection.vendor == "sqlite":
        return Trouble(Reason.RESTORED, "The data folder was put back from a copy.")
    if known.knows_others and row.generation > YOUNG:
        return Trouble(Reason.OTHER, f"This machine does not know {row.uid}.")
    return None
