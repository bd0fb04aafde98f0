"""Seals what is written and settled. Whoever writes history knows nothing of it, and waits for
nothing."""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max

from logs.chain.digest import COLUMNS, digest_of
from logs.models import Chain, History, Seal
from orgs.clock import database_now

logger = logging.getLogger(__name__)

ENTRIES_A_TURN = 500
EVERY = timedelta(seconds=5)
SAID_EVERY = timedelta(hours=1)

_said_at: dict[str, datetime] = {}  # when this process last logged the head


def seal(now: datetime) -> int:
    """Seal what is settled, so much a turn; returns how many entries. For the workers."""
    chain = Chain.objects.only("seen_at").first()
    if chain is None:
        begin(now)
    elif abs(now - chain.seen_at) >= EVERY:
        return _take_turn(now)
    return 0


def seal_all() -> int:
    """Seal all that is settled by now; returns how many entries."""
    begin(database_now())
    count = _take_turn(database_now())  # what was seen before; and looks anew
    while more := _take_turn(database_now()):
        count += more
    return count


def begin(now: datetime) -> Chain:
    """The chain; a new one looks at what there is at its first turn."""
    return Chain.objects.get_or_create(pk=1, defaults={"seen_id": 0, "seen_at": now})[0]


@transaction.atomic
def _take_turn(now: datetime) -> int:
    """One worker at a time; who finds it locked leaves it to the other."""
    chain = Chain.objects.select_for_update(skip_locked=True).first()
    if chain is None:
        return 0
    if chain.seen_at > now:
        chain.seen_at = now  # the clock was put back: wait anew
        chain.save()
        return 0
    if not _is_settled(chain.seen_at):
        return 0
    found = History.objects.filter(id__gt=chain.entry_id, id__lte=chain.seen_id).order_by("id")
    entries = list(found.values_list(*COLUMNS)[:ENTRIES_A_TURN])
    seals = []
    for entry in entries:
        chain.number, chain.entry_id = chain.number + 1, entry[0]
        chain.digest = digest_of(chain.digest, entry)
        seals.append(Seal(number=chain.number, entry_id=entry[0], digest=chain.digest))
    Seal.objects.bulk_create(seals)
    if len(entries) < ENTRIES_A_TURN:
        chain.seen_id = History.objects.aggregate(last=Max("id"))["last"] or 0
        # After that: a transaction that began before it may still show a lower id.
        chain.seen_at = database_now()
    chain.save()
    if entries:
        _say(chain, now)
    return len(entries)


def _is_settled(seen_at: datetime) -> bool:
    """Whether every transaction that was open at that time has ended. SQLite has one writer at
    a time, which at present is this one."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        oldest = cursor.fetchone()[0]
    return oldest is None or oldest > seen_at


def _say(chain: Chain, now: datetime) -> None:
    """Where logs are kept elsewhere, the head is kept elsewhere too."""
    last = _said_at.get("head")
    if last is None or abs(now - last) >= SAID_EVERY:
        _said_at["head"] = now
        logger.info("the history is sealed up to %s", chain)
