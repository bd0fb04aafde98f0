"""Turns: one message at a time at an account whose device takes no more, over all workers.

A room bot keeps only the newest of the messages that wait: two at once are one lost. Who sends
holds the turn until the answer is there, and after it for as long as the device needs. The turn
is a lease: of a worker that dies it is free again when no answer can come any more.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from channels.models import Turn


def take(account_id: int, holder: UUID, *, at: datetime, until: datetime) -> datetime | None:
    """Take the turn from `at` on, until then at the latest. None: it is taken. Otherwise when
    it will be free, as far as is known now. Inside no transaction of the caller's."""
    open_ = Q(until__lte=at) | Q(holder=holder)  # whoever holds it may ask again
    free = Turn.objects.filter(open_, account_id=account_id)
    if free.update(holder=holder, until=until):
        return None
    first = Turn(account_id=account_id, holder=holder, until=until)
    Turn.objects.bulk_create([first], ignore_conflicts=True)  # once in an account's life
    turn = Turn.objects.get(account_id=account_id)
    return None if turn.holder == holder and turn.until == until else turn.until


def end(account_id: int, holder: UUID, *, until: datetime) -> None:
    """The answer is there: the next one may go from then on."""
    mine = Turn.objects.filter(account_id=account_id, holder=holder)
    mine.update(holder=None, until=until)
