"""Copies that are written with the old path after a move: by a worker that had a delivery in hand,
by an act that waited for the move to end. They follow within seconds."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from channels.models import Quiet
from logs.chain.guard import lifted
from logs.chain.seal import begin
from logs.models import Attempt, Billing, History, Punctuality
from orgs.models import Move, Unit
from orgs.reach import under
from schedules.models import Delivery, QuarterCount
from schedules.moving.copies import carry_rows, copies
from schedules.outcomes.keep import note_changes

EVERY = timedelta(seconds=5)
AWAITED_FOR = timedelta(hours=1)  # nothing that was loaded before a move is written so late
# Sums, which follow from what is counted, and what is a matter of minutes.
LEFT_ALONE = (Punctuality, Billing, QuarterCount, Quiet)


def follow(now: datetime) -> int:
    """Let late copies follow, of all moves in their order; returns how many rows. For workers."""
    found = sum(_follow(move, now) for move in Move.objects.filter(moved_at__gt=now - AWAITED_FOR))
    return found + _place_older_entries(now)


def _follow(move: Move, now: datetime) -> int:
    old = Unit(path=move.old_path)
    found = 0
    for model in copies():
        if model in LEFT_ALONE:
            continue
        rows = under(old, _young(model, move))
        if rows.exists():
            found += _carry(rows, old, move, now)
    return found


def _young(model: Any, move: Move) -> QuerySet[Any]:
    """Attempts are many, and found by their time."""
    rows: QuerySet[Any] = model._base_manager.all()
    if model is Attempt:
        return rows.filter(answered_at__gt=move.moved_at - AWAITED_FOR)
    return rows


@transaction.atomic
def _carry(rows: QuerySet[Any], old: Unit, move: Move, now: datetime) -> int:
    if rows.model is Delivery:
        note_changes(rows.order_by().values_list("due_at", flat=True).distinct(), now)
    return carry_rows(rows, move.new_path, len(old.path))


@transaction.atomic
def _place_older_entries(now: datetime) -> int:
    """Code of the release before does not say where its entries belong."""
    rows = History.objects.filter(place="").exclude(unit_path="").order_by()
    if not rows.exists():
        return 0
    begin(now)
    with lifted():
        return rows.update(place=F("unit_path"))
