"""The chain of the history: what is altered, removed or slipped in is found, and named."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from logs import history
from logs.chain.guard import lifted
from logs.chain.prune import TamperedError, prune
from logs.chain.seal import EVERY, seal, seal_all
from logs.chain.verify import Fault, Mark, verify
from logs.models import Chain, History, Seal
from orgs.clock import database_now
from tests.conftest import World
from tests.schedules.at_once import PATIENCE, at_once, on_postgresql, start

AT = datetime(2026, 1, 12, 0, 0, 1, 250, tzinfo=UTC)


@pytest.fixture
def entries(world: World) -> list[int]:
    """The ids of ten sealed entries, an hour apart."""
    for number in range(10):
        write(world, AT + timedelta(hours=number), number)
    seal_all()
    return list(History.objects.order_by("id").values_list("id", flat=True))


def write(world: World, at: datetime = AT, number: int = 0) -> None:
    changes = {"title": ["old", f"정시 {number}"], "rate": [0.1, 2.50], "z": None, "a": True}
    who = world.people["hq"]
    history.record("updated", world.xinyi, by=who, now=at, unit_path="0001", changes=changes)


def found() -> list[tuple[str, int | None, int | None]]:
    return [tuple(finding) for finding in verify().findings]  # type: ignore[misc]


def tamper(act: Callable[[], Any]) -> None:
    """As somebody would who may change the tables, and knows of the guard."""
    with transaction.atomic(), lifted():
        act()


def remove(rows: Any) -> None:
    tamper(lambda: rows._raw_delete(rows.db))


def test_what_nobody_touched_is_whole(entries: list[int]) -> None:
    report = verify()
    assert (report.wrong, report.checked, report.waiting) == (0, 10, 0)
    assert report.head == Mark(10, Seal.objects.get(number=10).digest)


def test_a_chain_that_was_never_begun_is_whole(world: World) -> None:
    write(world)
    report = verify()
    assert (report.wrong, report.checked, report.waiting) == (0, 0, 1)
    assert report.waiting_since == AT


@pytest.mark.parametrize(
    "change",
    [{"actor": "somebody"}, {"at": AT - timedelta(days=1)}, {"verb": "viewed"},
     {"changes": {"title": ["old", "other"]}}, {"unit_path": "0002", "place": "0002"},
     {"address": "10.0.0.1"},
     {"actor_id": 0}, {"object_id": "0"}, {"object_name": "x"}, {"kind": "x"}, {"via": "x"},
     {"request": "another-1"}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_an_altered_entry_is_named(entries: list[int], change: dict[str, Any]) -> None:
    tamper(lambda: History.objects.filter(pk=entries[4]).update(**change))
    assert found() == [(Fault.ALTERED, 5, entries[4])]


@pytest.mark.parametrize("place", [0, 4, 9])
def test_a_removed_entry_is_named(entries: list[int], place: int) -> None:
    remove(History.objects.filter(pk=entries[place]))
    assert found() == [(Fault.REMOVED, place + 1, entries[place])]


def test_an_entry_that_was_slipped_in_is_named(world: World, entries: list[int]) -> None:
    remove(History.objects.filter(pk=entries[4]))
    remove(Seal.objects.filter(pk=5))
    write(world)
    forged = History.objects.latest("id").pk
    tamper(lambda: History.objects.filter(pk=forged).update(id=entries[4]))
    assert (Fault.SLIPPED_IN, None, entries[4]) in found()
    assert (Fault.SEAL_REMOVED, 5, None) in found()


def test_an_altered_seal_is_told_from_an_altered_entry(entries: list[int]) -> None:
    tamper(lambda: Seal.objects.filter(number=5).update(digest="f" * 64))
    assert found() == [(Fault.SEAL_ALTERED, 5, entries[4])]


def test_several_alterations_are_each_named(entries: list[int]) -> None:
    def alter() -> None:
        History.objects.filter(pk__in=entries[2:4]).update(actor="x")
        Seal.objects.filter(number=8).update(digest="0" * 64)

    tamper(alter)
    assert found() == [
        (Fault.ALTERED, 3, entries[2]), (Fault.ALTERED, 4, entries[3]),
        (Fault.SEAL_ALTERED, 8, entries[7]),
    ]  # fmt: skip


def test_an_end_that_was_cut_off_is_seen_by_the_head(entries: list[int]) -> None:
    remove(History.objects.filter(pk__in=entries[7:]))
    remove(Seal.objects.filter(number__gt=7))
    assert found() == [(Fault.END_REMOVED, 8, None)]


def test_an_end_that_was_cut_off_with_its_head_is_seen_by_a_head_kept_elsewhere(
    entries: list[int],
) -> None:
    noted = verify().head
    remove(History.objects.filter(pk__in=entries[7:]))
    remove(Seal.objects.filter(number__gt=7))
    last = Seal.objects.get(number=7)
    Chain.objects.update(number=7, digest=last.digest, entry_id=last.entry_id)
    assert found() == []
    report = verify(noted)
    assert [finding.fault for finding in report.findings] == [Fault.HEAD_ALTERED]


def test_a_chain_that_was_computed_anew_is_seen_by_a_head_kept_elsewhere(
    entries: list[int],
) -> None:
    noted = verify().head

    def forge() -> None:
        History.objects.filter(pk=entries[1]).update(actor="x")
        Seal.objects.all()._raw_delete("default")
        Chain.objects.all().delete()
        Chain.objects.create(seen_id=0, seen_at=AT, is_open=True)

    tamper(forge)
    seal_all()
    assert found() == []
    assert [finding.fault for finding in verify(noted).findings] == [Fault.HEAD_ALTERED]


def test_a_head_of_earlier_holds_when_the_history_has_gone_on(
    world: World, entries: list[int]
) -> None:
    noted = verify().head
    write(world)
    seal_all()
    assert verify(noted).wrong == 0 and verify(noted).head.number == 11


def test_a_head_that_was_set_back_or_removed_is_seen(entries: list[int]) -> None:
    seventh = Seal.objects.get(number=7)
    Chain.objects.update(number=7, digest=seventh.digest)
    assert found() == [(Fault.HEAD_ALTERED, 7, None)]
    Chain.objects.all().delete()
    assert found() == [(Fault.HEAD_ALTERED, 10, entries[9])]


def test_workers_seal_after_a_while_and_only_what_is_settled(world: World) -> None:
    now = database_now()
    write(world)
    assert [seal(now), seal(now), seal(now + EVERY), seal(now + EVERY)] == [0, 0, 0, 0]
    assert seal(database_now() + 2 * EVERY) == 1
    assert verify().waiting == 0


def test_a_clock_that_was_put_back_only_delays(world: World) -> None:
    write(world)
    seal(database_now())
    Chain.objects.update(seen_at=database_now() + timedelta(days=1))
    seal_all()
    assert seal_all() == 1 or verify().waiting == 0


def test_the_database_refuses_to_change_an_entry_or_a_seal(entries: list[int]) -> None:
    for rows, change in ((History.objects.all(), {"actor": "x"}),
                         (Seal.objects.all(), {"digest": "x"})):  # fmt: skip
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(**change)
        if connection.vendor == "postgresql":
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                rows._raw_delete(rows.db)


def test_pruning_leaves_the_rest_whole_and_says_so(world: World, entries: list[int]) -> None:
    before = verify().head
    now = database_now()
    assert prune(AT + timedelta(hours=4), by=None, now=now) == 4
    assert list(History.objects.order_by("id").values_list("id", flat=True))[:6] == entries[4:]
    entry = History.objects.get(verb="pruned")
    assert entry.changes["entries"] == 4 and entry.unit_path == world.hq.path
    seal_all()
    report = verify(before)
    assert (report.wrong, report.pruned, report.checked) == (0, 4, 7)
    assert prune(AT + timedelta(hours=4), by=None, now=now) == 0
    assert prune(AT + timedelta(hours=6), by=None, now=now) == 2
    assert verify(before).wrong == 0


def test_a_beginning_that_was_only_claimed_to_be_pruned_is_seen(entries: list[int]) -> None:
    fourth = Seal.objects.get(number=4)
    remove(History.objects.filter(pk__in=entries[:4]))
    remove(Seal.objects.filter(number__lte=4))
    Chain.objects.update(base_number=4, base_digest=fourth.digest, base_entry_id=fourth.entry_id)
    assert found() == [(Fault.BEGINNING_ALTERED, 4, entries[3])]


def test_what_was_altered_cannot_be_pruned_away(entries: list[int]) -> None:
    tamper(lambda: History.objects.filter(pk=entries[1]).update(actor="x"))
    with pytest.raises(TamperedError):
        prune(AT + timedelta(hours=4), by=None, now=database_now())
    assert History.objects.count() == 10


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_entry_whose_transaction_is_still_open_is_sealed_in_its_place(world: World) -> None:
    """Its id is lower than that of one that can be seen already."""
    has_written, may_end = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            write(world, number=1)
            has_written.set()
            may_end.wait(PATIENCE)

    slow = start(write_slowly)
    has_written.wait(PATIENCE)
    write(world, number=2)
    assert seal_all() == 0 and verify().waiting == 1
    may_end.set()
    slow.result(PATIENCE)
    assert seal_all() == 2
    assert verify().wrong == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_seal_at_once_seal_each_entry_once(world: World) -> None:
    for number in range(20):
        write(world, number=number)
    seal_all()
    write(world)
    seal_all()
    assert [seal for seal in at_once(seal_all, seal_all) if isinstance(seal, Exception)] == []
    assert verify().wrong == 0 and verify().checked == 21
