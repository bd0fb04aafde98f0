"""Limits: how many requests a second an account may send, over all workers together.

Workers book times ahead in the database, a handful at once (the generic cell rate algorithm: a
token bucket that is one number). What a killed worker had booked is lost, never sent twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from channels.models import Pace

BURST_SECONDS = 0.5  # of the rate, at once: half of what a full bucket of one second holds
AHEAD_SECONDS = 0.25  # no worker books further: the others and what is more urgent get theirs


@dataclass(frozen=True)
class Booking:
    """Times at which one request each may leave; and when to ask for the rest."""

    times: Sequence[datetime]
    ask_again_at: datetime


def book(account_id: int, endpoint: str, *, rate: float, wanted: int, now: datetime) -> Booking:
    """Book up to `wanted` requests at `rate` a second. Inside no transaction of the caller's:
    other workers wait for this row."""
    present, step = now.timestamp(), 1 / rate
    with transaction.atomic():
        pace = _locked(account_id, endpoint)
        start = max(pace.booked_until, present - BURST_SECONDS)
        open_steps = int((present + AHEAD_SECONDS - start) / step) + 1
        count = max(min(wanted, open_steps), 0)
        if count:
            pace.booked_until = start + count * step
            pace.save(update_fields=["booked_until"])
    times = [now + timedelta(seconds=start + n * step - present) for n in range(count)]
    # Half of what may be booked ahead has then run out: the workers find some each time.
    wait = start + count * step - AHEAD_SECONDS / 2 - present
    return Booking(times, now + timedelta(seconds=max(wait, step)))


def hold(account_id: int, endpoint: str, until: datetime) -> None:
    """Let nothing leave before then: the channel has said that it is too much."""
    _make_sure(account_id, endpoint)
    paces = Pace.objects.filter(account_id=account_id, endpoint=endpoint)
    paces.update(booked_until=Greatest(F("booked_until"), Value(until.timestamp())))


def _locked(account_id: int, endpoint: str) -> Pace:
    rows = Pace.objects.select_for_update().filter(account_id=account_id, endpoint=endpoint)
    found = rows.first()
    if found is None:  # once in an account's life
        _make_sure(account_id, endpoint)
        found = rows.get()
    return found


def _make_sure(account_id: int, endpoint: str) -> None:
    """Let there be a row; another worker may be making it at this moment."""
    new = Pace(account_id=account_id, endpoint=endpoint)
    Pace.objects.bulk_create([new], ignore_conflicts=True)
