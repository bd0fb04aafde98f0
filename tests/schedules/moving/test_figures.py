"""What was counted of a unit goes from the units that were above it to those that now are."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logs.models import Attempt, Billing, Punctuality, Tally
from logs.stats.figures import Figures, read_back
from logs.stats.tally import roll_up
from orgs.models import Unit
from orgs.reach import lineage
from schedules.actions.move_unit import move_unit
from schedules.models import QuarterCount, QuartersCounted
from tests.conftest import World

pytestmark = pytest.mark.django_db

# On the clocks of Taipei the evening of the 11th, on those of Seoul the 12th.
EVENING = datetime(2026, 1, 11, 15, 30, tzinfo=UTC)
Counts = dict[tuple[str, str], tuple[int, int, int]]


@pytest.fixture
def attempt(world: World) -> Callable[..., Attempt]:
    """An accepted, billed attempt of a unit."""

    def make(unit: Unit, lateness_ms: int, at: datetime = EVENING) -> Attempt:
        ids = {"delivery_id": 1, "run_id": 1, "schedule_id": 1, "account_id": world.sandbox.pk}
        return Attempt.objects.create(
            **ids, unit_path=Unit.objects.get(pk=unit.pk).path, channel="sandbox", part=0,
            number=1, key="0" * 32, due_at=at, answered_at=at, outcome="accepted",
            lateness_ms=lateness_ms, billed=3,
        )  # fmt: skip

    return make


def count(now: datetime = EVENING + timedelta(days=1)) -> None:
    for seconds in (0, 61, 122):
        roll_up(now + timedelta(seconds=seconds))


def counted() -> Counts:
    """By unit and day: how many, how late in sum, how many billed."""
    names = dict(Unit.objects.values_list("path", "code"))
    billed = {(b.unit_path, b.day): b.messages for b in Billing.objects.all()}
    return {
        (names[p.unit_path], str(p.day)): (p.count, p.total_ms, billed[p.unit_path, p.day])
        for p in Punctuality.objects.exclude(unit_path="")
    }


def counted_anew() -> Counts:
    """As it would be, had everything always stood where it stands now."""
    for model in (Punctuality, Billing, Tally):
        model.objects.all().delete()
    count()
    count()
    return counted()


def test_days_are_those_of_each_unit_before_and_after(
    world: World, attempt: Callable[..., Attempt]
) -> None:
    count()
    attempt(world.xinyi, 5)
    attempt(world.xinyi, 70, EVENING + timedelta(hours=20))
    attempt(world.north, 11)
    attempt(world.tainan, 3)
    count()
    before = counted()
    assert before["north", "2026-01-11"] == (2, 16, 6)
    assert before["south", "2026-01-12"] == (1, 3, 3)
    move_unit(world.taipei, to=world.south, by=world.people["hq"])
    after = counted()
    assert after["north", "2026-01-11"] == (1, 11, 3)
    assert after["south", "2026-01-12"] == (3, 78, 9)
    assert after["hq", "2026-01-12"] == before["hq", "2026-01-12"]
    assert {k: v for k, v in after.items() if v[0]} == counted_anew()


def test_what_was_not_counted_yet_is_counted_where_it_stands(
    world: World, attempt: Callable[..., Attempt]
) -> None:
    count()
    attempt(world.xinyi, 5)
    move_unit(world.taipei, to=world.south, by=world.people["hq"])
    count()
    assert ("north", "2026-01-11") not in counted()
    assert counted()["south", "2026-01-12"] == (1, 5, 3)


def test_the_worst_of_what_is_left_are_its_own() -> None:
    whole, part = Figures(), Figures()
    for number in range(12):
        whole.add(900 + number, number)
        part.add(900 + number, number)
    whole.add(40, 99)
    whole.take_away(part)
    assert (whole.count, whole.total_ms, whole.counts) == (1, 40, {40: 1})
    assert whole.worst == [(40, 0)]  # it was not among the worst ten: its bucket tells
    assert read_back(whole.stored()).p99 == 40


def test_quarters_go_over_cell_by_cell(world: World) -> None:
    now = EVENING

    def put(unit: Unit, kind: str, **numbers: int) -> None:
        for path in ("", *lineage(unit.path)):
            cell = {"unit_path": path, "at": now, "channel": "sandbox", "kind": kind}
            row, _is_new = QuarterCount.objects.get_or_create(**cell, strategy="immediate")
            for name, number in numbers.items():
                setattr(row, name, getattr(row, name) + number)
            row.save()

    QuartersCounted.objects.create(until=now + timedelta(days=1), turned_at=now)
    put(world.xinyi, "text", sent=4, failed=1)
    put(world.xinyi, "image", sent=2)
    put(world.north, "text", sent=3)
    put(world.tainan, "text", sent=8, skipped=1)
    move_unit(world.taipei, to=world.south, by=world.people["hq"])

    def kept(unit: Unit) -> dict[str, Any]:
        rows = QuarterCount.objects.filter(unit_path=Unit.objects.get(pk=unit.pk).path)
        return {row.kind: (row.sent, row.failed, row.skipped) for row in rows}

    assert kept(world.north) == {"text": (3, 0, 0)}
    assert kept(world.south) == {"text": (12, 1, 1), "image": (2, 0, 0)}
    assert kept(world.hq) == {"text": (15, 1, 1), "image": (2, 0, 0)}
    assert kept(world.xinyi) == {"text": (4, 1, 0), "image": (2, 0, 0)}
    assert QuartersCounted.objects.get().turn == 1
