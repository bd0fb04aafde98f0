"""Reads the people of an audience: a page at a time, and one table a question.

So the plan is the same whether the database has statistics or not: of people just imported it has
none, and a join or a filter by their account then takes minutes. What is asked of a person beyond
the first question is compared here.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import merge
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet

from channels.models.membership import Membership
from channels.models.recipient import Recipient, Tag, Tagging
from orgs.models import Unit
from orgs.reach import lineage, under

READ_AT_ONCE = 5_000  # rows that are held in memory while a large audience is read
BUCKETS = 2**16
WIDTH = 2**64 // BUCKETS


class Person(NamedTuple):
    """Of a recipient what is asked and what is sent to."""

    id: int
    address: str
    account_id: int
    unit_id: int
    region: str
    language: str
    opted_out_at: Any


@dataclass(frozen=True)
class Selection:
    """Whom an audience means: those on a list, or those who answer to each kind of its rule."""

    account_id: int
    unit: Unit
    list_id: int | None = None
    tags: tuple[str, ...] = ()
    has_all_tags: bool = False
    regions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def people(self) -> Iterator[Person]:
        """Those who may be written to now, each once, in a fixed order."""
        units = _units_at_work(self.unit)
        return self._loaded(self._candidates(units), units)

    def count(self, up_to: int | None = None) -> int:
        """How many they are, counted no further than `up_to`. The database counts, and where one
        of its tables can tell, all at once."""
        meant = self._condition(_units_at_work(self.unit))
        if self.list_id is None and not self.tags:
            return Recipient.objects.filter(meant).order_by()[:up_to].count()
        ids, found = self._candidates(()), 0
        while (up_to is None or found < up_to) and (page := list(islice(ids, READ_AT_ONCE))):
            # As a condition of the rows the account could lead to a worse index than their ids.
            rows = Recipient.objects.filter(id__among=page)
            found += rows.aggregate(total=Count("id", filter=meant))["total"]
        return found if up_to is None else min(found, up_to)

    def drawn(self, most: int, draw: str) -> Iterator[Person]:
        """At most so many of them. The same `draw` picks the same people, each time: those whose
        ids have the smallest hashes, so that nobody's turn depends on who was imported first.
        Everybody is read once, and kept as two numbers: 16 MB for a million."""
        ids = array("q", (person.id for person in self.people()))
        hashes = array("Q", (_hash(person_id, draw) for person_id in ids))
        last = _smallest(hashes, most)
        picked = (i for i, value in zip(ids, hashes, strict=True) if value <= last)
        return islice(self._loaded(picked, _units_at_work(self.unit)), most)

    def _loaded(self, ids: Iterator[int], units: set[int]) -> Iterator[Person]:
        """Those of these ids who are meant, in the order of the ids."""
        while page := list(islice(ids, READ_AT_ONCE)):
            rows = Recipient.objects.filter(id__among=page).values_list(*Person._fields)
            found = {row[0]: Person._make(row) for row in rows}
            yield from (found[i] for i in page if i in found and self._means(found[i], units))

    def _means(self, person: Person, units: set[int]) -> bool:
        return (
            person.account_id == self.account_id
            and person.unit_id in units
            and person.opted_out_at is None
            and (not self.regions or person.region in self.regions)
            and (not self.languages or person.language in self.languages)
        )

    def _condition(self, units: set[int]) -> Q:
        """As `_means`, for the database."""
        meant = Q(account_id=self.account_id, unit_id__in=units, opted_out_at=None)
        if self.regions:
            meant &= Q(region__in=self.regions)
        return meant & Q(language__in=self.languages) if self.languages else meant

    def _candidates(self, units: Iterable[int]) -> Iterator[int]:
        """The ids of those who answer to one question, that which as a rule the fewest do."""
        if self.list_id is not None:
            return _ids(Membership.objects.filter(audience_id=self.list_id), "recipient_id")
        if self.tags:
            return self._bearers()
        people = Recipient.objects.filter(account_id=self.account_id)
        if self.regions:
            return _each(people.filter(region=region) for region in self.regions)
        if self.languages:
            return _each(people.filter(language=language) for language in self.languages)
        return _each(Recipient.objects.filter(unit_id=unit_id) for unit_id in sorted(units))

    def _bearers(self) -> Iterator[int]:
        """Who bears all of the words, or any: the sorted ids of each word's people, merged."""
        of_words = [_bearers_of(word, self.unit) for word in self.tags]
        needed = len(of_words) if self.has_all_tags else 1
        for person_id, times in groupby(merge(*of_words)):
            if len(list(times)) >= needed:
                yield person_id


def _bearers_of(word: str, unit: Unit) -> Iterator[int]:
    """The ids of those who bear this word, ascending, each once. The people are of `unit` or
    under it, so that whoever gave the tag stands there too, or above."""
    tags = Tag.objects.filter(name=word)
    below = set(under(unit, tags).values_list("id", flat=True))
    above = set(tags.filter(unit__path__in=lineage(unit.path)).values_list("id", flat=True))
    taggings = Tagging.objects.filter(tag_id__in=below | above)
    return (person_id for person_id, _times in groupby(_ids(taggings, "recipient_id")))


def _units_at_work(unit: Unit) -> set[int]:
    """The unit and all under it, without those that are inactive or stand under such a one."""
    rows = list(under(unit, Unit.objects.all()).values_list("id", "path", "is_active"))
    stopped = {path for _id, path, is_active in rows if not is_active}
    return {unit_id for unit_id, path, _active in rows if stopped.isdisjoint(lineage(path))}


def _each(questions: Iterable[QuerySet]) -> Iterator[int]:
    return chain.from_iterable(_ids(rows, "id") for rows in questions)


def _ids(rows: QuerySet, column: str) -> Iterator[int]:
    """What these rows hold in this column, ascending. One statement to the end: without
    statistics a page that begins where the last one ended is found by sorting all of them."""
    ids = rows.order_by(column).values_list(column, flat=True)
    return iter(ids.iterator(chunk_size=READ_AT_ONCE))


def _hash(person_id: int, draw: str) -> int:
    digest = blake2b(person_id.to_bytes(8, "big"), key=draw.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _smallest(hashes: "array[int]", most: int) -> int:
    """The `most`-th smallest of 64-bit hashes. Only a bucket of them is sorted: a sorted list of
    all would take five times their room."""
    counts = [0] * BUCKETS
    for value in hashes:
        counts[value // WIDTH] += 1
    before = 0
    for bucket, count in enumerate(counts):
        if before + count >= most:
            inside = sorted(value for value in hashes if value // WIDTH == bucket)
            return inside[most - before - 1]
        before += count
    return 2**64
