"""Reads the whole chain and says what is not as it was sealed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Min

from logs.chain.digest import COLUMNS, Entry, digest_of
from logs.models import Chain, History, Seal
from orgs.clock import database_now
from orgs.tree import present_paths

PRUNED = "pruned"  # the verb of the entry that says where the chain begins
READ_AT_ONCE = 2000
FOLLOWED = timedelta(minutes=1)  # by then an entry has followed a move of its unit
LISTED = 1000  # findings that a report holds; all are counted


class Fault(StrEnum):
    """What can be wrong."""

    ALTERED = "altered"
    REMOVED = "removed"
    SLIPPED_IN = "slipped in"
    SEAL_ALTERED = "seal altered"
    SEAL_REMOVED = "seal removed"
    END_REMOVED = "end removed"
    HEAD_ALTERED = "head altered"
    BEGINNING_ALTERED = "beginning altered"
    MISPLACED = "misplaced"


WHY = {
    Fault.ALTERED: "its digest is another than when it was sealed",
    Fault.REMOVED: "it was sealed and is not there any more",
    Fault.SLIPPED_IN: "it stands among sealed entries and has no seal",
    Fault.SEAL_ALTERED: "the entry agrees with the seals around it, its own seal does not",
    Fault.SEAL_REMOVED: "the chain has a gap where its seal was",
    Fault.END_REMOVED: "the chain ends before its head",
    Fault.HEAD_ALTERED: "the head is not that of the last seal",
    Fault.MISPLACED: "it is shown to another unit than its own, as that has moved since",
    Fault.BEGINNING_ALTERED: "no entry of the history says that the chain begins here",
}


class Finding(NamedTuple):
    """One thing that is wrong, at a place of the chain (None: it has none), with an entry (None:
    it cannot be told)."""

    fault: Fault
    number: int | None
    entry_id: int | None

    @property
    def why(self) -> str:
        return WHY[self.fault]


class Mark(NamedTuple):
    """A head as it was noted elsewhere."""

    number: int = 0
    digest: str = ""


@dataclass
class Report:
    """What verifying came to."""

    checked: int = 0
    head: Mark = field(default_factory=Mark)
    pruned: int = 0  # entries before the beginning of the chain
    waiting: int = 0  # entries that are not sealed yet
    waiting_since: datetime | None = None
    wrong: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify(noted: Mark | None = None, *, count: Callable[[int], Any] = lambda more: None) -> Report:
    """Check the chain up to its present head, and that it still holds the head that was `noted`
    once. `count` is told of each so many entries that they are done."""
    chain = Chain.objects.first()
    if chain is None:
        # Without its one row: either nothing was ever sealed, or somebody removed it.
        last = Seal.objects.order_by("-number").first()
        chain = Chain(number=last.number if last else 0, digest="")
    report = Report(head=Mark(chain.number, chain.digest), pruned=chain.base_number)
    report.checked = chain.number - chain.base_number
    found = _all(chain, noted, count)
    report.findings = list(islice(found, LISTED))
    report.wrong = len(report.findings) + sum(1 for _more in found)
    unsealed = History.objects.filter(id__gt=chain.entry_id).order_by()
    report.waiting = unsealed.count()
    report.waiting_since = unsealed.aggregate(first=Min("at"))["first"]
    return report


def _all(chain: Chain, noted: Mark | None, count: Callable[[int], Any]) -> Iterator[Finding]:
    yield from beginning(chain)
    yield from walk(chain, chain.number, count)
    yield from _head(chain)
    yield from _misplaced(chain)
    if noted and not _holds(chain, noted):
        yield Finding(Fault.HEAD_ALTERED, noted.number, None)


def beginning(chain: Chain) -> Iterator[Finding]:
    """A chain that does not begin with the first entry was pruned, and the history says so."""
    if not chain.base_number:
        return
    said = {"number": chain.base_number, "digest": chain.base_digest}
    entries = History.objects.filter(verb=PRUNED, kind="chain", id__gt=chain.base_entry_id)
    if not any(said.items() <= changes.items() for (changes,) in entries.values_list("changes")):
        yield Finding(Fault.BEGINNING_ALTERED, chain.base_number, chain.base_entry_id)


def walk(
    chain: Chain, up_to: int, count: Callable[[int], Any] = lambda more: None
) -> Iterator[Finding]:
    """Every entry from the beginning of the chain to the seal of this number, page by page: no
    transaction is held, since what is sealed changes no more."""
    number, last_id = chain.base_number, chain.base_entry_id
    link = _Link(chain.base_digest)
    while number < up_to:
        rows = Seal.objects.filter(number__gt=number, number__lte=up_to).order_by("number")
        seals = list(rows[:READ_AT_ONCE])
        if not seals:
            yield Finding(Fault.END_REMOVED, number + 1, None)
            return
        until = max(last_id, *(seal.entry_id for seal in seals))
        found = History.objects.filter(id__gt=last_id, id__lte=until).order_by("id")
        entries = {entry[0]: entry for entry in found.values_list(*COLUMNS)}
        for seal in seals:
            for missing in range(number + 1, seal.number):
                yield Finding(Fault.SEAL_REMOVED, missing, None)
                link.breaks()
            yield from link.take(seal, entries.pop(seal.entry_id, None))
            number = seal.number
        yield from (Finding(Fault.SLIPPED_IN, None, pk) for pk in entries)
        last_id = until
        count(len(seals))
    yield from link.end()


class _Link:
    """Goes along the chain. A digest that disagrees waits for the next seal to tell what was
    altered: that one holds the digest of its neighbour as it was when both were sealed."""

    def __init__(self, digest: str) -> None:
        self._sealed: str | None = digest  # the digest before, as its seal says; None: lost
        self._computed: str | None = None  # as the entry says, where that is another
        self._doubt: Finding | None = None

    def breaks(self) -> None:
        """A seal is missing: what follows it cannot be computed."""
        self._sealed = None

    def take(self, seal: Seal, entry: Entry | None) -> Iterator[Finding]:
        is_doubted, before = self._doubt, self._sealed
        self._sealed, self._doubt = seal.digest, None
        if entry is None:
            yield from _told(is_doubted)
            yield Finding(Fault.REMOVED, seal.number, seal.entry_id)
            return
        if before is None:
            return
        if digest_of(before, entry) == seal.digest:
            yield from _told(is_doubted)
            return
        if is_doubted and self._computed and digest_of(self._computed, entry) == seal.digest:
            yield is_doubted._replace(fault=Fault.SEAL_ALTERED)
            return
        yield from _told(is_doubted)
        self._computed = digest_of(before, entry)
        self._doubt = Finding(Fault.ALTERED, seal.number, seal.entry_id)

    def end(self) -> Iterator[Finding]:
        yield from _told(self._doubt)


def _told(finding: Finding | None) -> Iterator[Finding]:
    if finding:
        yield finding


def _head(chain: Chain) -> Iterator[Finding]:
    if chain.number > chain.base_number:
        sealed = Seal.objects.filter(number=chain.number).first()
        if sealed and sealed.digest != chain.digest:
            yield Finding(Fault.HEAD_ALTERED, chain.number, sealed.entry_id)
    last = Seal.objects.order_by("-number").first()
    now = Chain.objects.first()  # after that: both are written together
    if last and now and last.number > now.number:
        yield Finding(Fault.HEAD_ALTERED, now.number, None)


def _misplaced(chain: Chain) -> Iterator[Finding]:
    """Who may see an entry is not sealed, since units move: it follows from what is."""
    sealed = History.objects.filter(id__lte=chain.entry_id, at__lt=database_now() - FOLLOWED)
    pairs = list(sealed.order_by().values_list("unit_path", "place").distinct())
    present = present_paths(path for path, _place in pairs)
    for path, place in pairs:
        if place != present[path]:
            wrong = sealed.filter(unit_path=path, place=place).order_by("id")
            for pk in wrong.values_list("pk", flat=True).iterator():
                yield Finding(Fault.MISPLACED, None, pk)


def _holds(chain: Chain, noted: Mark) -> bool:
    """Whether the chain still has this head as one of its own."""
    if noted.number == chain.base_number:
        return noted.digest == chain.base_digest
    if noted.number < chain.base_number:
        return True  # pruned since: there is nothing to compare it with
    return Seal.objects.filter(number=noted.number, digest=noted.digest).exists()
