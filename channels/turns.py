"""Turns: one message at a time at a device that takes no more, over all workers.

A room bot keeps only the newest of the messages that wait: two at once are one lost. Who sends
holds the turn until the answer is there, and after it for as long as the device needs. The turn
is a lease: of a worker that dies it is free again when no answer can come any more.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from channels.models import Turn


def take(device: str, holder: UUID, *, at: datetime, until: datetime) -> datetime | None:
    """Take the turn from `at` on, until then at the latest. None: it is taken. Otherwise when
    it will be free, as far as is known now. Inside no transaction of the caller's."""
    open_ = Q(until__lte=at) | Q(holder=holder)  # whoever holds it may ask again
    free = Turn.objects.filter(open_, device=device)
    if free.update(holder=holder, until=until):
        return None
    first = Turn(device=device, holder=holder, until=until)
    Turn.objects.bulk_create([first], ignore_conflicts=True)  # once in a device's life
    turn = Turn.objects.get(device=device)
    return None if turn.holder == holder and turn.until == until else turn.until


def end(device: str, holder: UUID, *, until: datetime) -> None:
    """The answer is there: the next one may go from then on."""
    mine = Turn.objects.filter(device=device, holder=holder)
    mine.update(holder=None, until=until)
