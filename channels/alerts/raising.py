"""Raise: the one door through which an alert comes. Nothing is told here."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, ProgrammingError, transaction

from channels.models.alert import Alert

logger = logging.getLogger(__name__)

SHOWN = 5  # of many that come together, those that are written out
LONGEST_LINE = 300


@dataclass(frozen=True)
class Event:
    """Something of which the people of a unit are told. It must hold nothing that is out of the
    unit's reach, and no secret.

    `subject`: what belongs together in one digest (“account:12”). `key` names the very event, so
    that it is told once. `at`: the time that people are shown, as a rule when it was due.
    """

    kind: str
    subject: str
    unit_path: str
    key: str
    name: str
    text: str
    at: datetime
    is_over: bool = False
    count: int = 1


def raise_(
    kind: str,
    subject: str,
    unit_path: str,
    *,
    key: str,
    name: str,
    text: str,
    now: datetime,
    is_over: bool = False,
) -> None:
    """Tell the people of this unit, or of the nearest above it. To be called in the transaction
    in which it happened: then both are written, or neither is."""
    raise_all([Event(kind, subject, unit_path, key, name, text, now, is_over)], now)


def raise_all(events: Iterable[Event], now: datetime) -> None:
    """As raise_, for many: those of one subject and unit become one row. An alert that cannot be
    written is logged, and disturbs nothing else."""
    together: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for event in events:
        together[event.kind, event.subject, event.unit_path, event.is_over].append(event)
    if not together:
        return
    rows = [_row(group, now) for group in together.values()]
    try:
        with transaction.atomic():
            Alert.objects.bulk_create(rows, ignore_conflicts=True)
    except (DataError, IntegrityError, ProgrammingError):
        # Any other fault is the connection's: it must undo what happened, too.
        logger.exception("alerts could not be raised: %s", [row.key for row in rows])


def _row(group: list[Event], now: datetime) -> Alert:
    first = group[0]
    return Alert(
        kind=first.kind,
        subject=first.subject,
        unit_path=first.unit_path,
        key=first.key[:120],
        name=_plain(first.name)[:100],
        lines=[[event.at.isoformat(), _plain(event.text)] for event in group[:SHOWN]],
        count=sum(event.count for event in group),
        is_over=first.is_over,
        raised_at=now,
    )


def _plain(text: str) -> str:
    """One line, of what a database can store and a message can show."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(kept.encode("utf-8", "replace").decode().split())
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
