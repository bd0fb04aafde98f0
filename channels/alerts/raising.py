"""Raise: the one door through which an alert comes. Nothing is told here."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DataError, IntegrityError, ProgrammingError, transaction

from channels.models.alert import Alert, in_each_language

logger = logging.getLogger(__name__)

SHOWN = 5  # of many that come together, those that are written out
LONGEST_LINE = 300

# What people are told: as it is, or to be said anew in each language.
Words = str | Callable[[], str]


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
    name: Words
    text: Words
    at: datetime
    is_over: bool = False
    count: int = 1


def raise_(
    kind: str,
    subject: str,
    unit_path: str,
    *,
    key: str,
    name: Words,
    text: Words,
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
    rows = [row for group in together.values() if (row := _row_or_none(group, now))]
    if not rows:
        return
    try:
        with transaction.atomic():
            Alert.objects.bulk_create(rows, ignore_conflicts=True)
    except (DataError, IntegrityError, ProgrammingError):
        # Any other fault is the connection's: it must undo what happened, too.
        logger.exception("alerts could not be raised: %s", [row.key for row in rows])


def _row_or_none(group: list[Event], now: datetime) -> Alert | None:
    try:
        return _row(group, now)
    except (KeyError, TypeError, ValueError):
        # A translation that lacks a placeholder must not undo what happened.
        logger.exception("an alert could not be put into words: %s", group[0].key)
        return None


def _row(group: list[Event], now: datetime) -> Alert:
    first, shown = group[0], group[:SHOWN]
    said = in_each_language(lambda: _said(shown))
    name, lines = said[settings.LANGUAGE_CODE]
    return Alert(
        kind=first.kind,
        subject=first.subject,
        unit_path=first.unit_path,
        key=first.key[:120],
        name=name,
        lines=[[event.at.isoformat(), line] for event, line in zip(shown, lines, strict=True)],
        translated={code: one for code, one in said.items() if one != (name, lines)} or None,
        count=sum(event.count for event in group),
        is_over=first.is_over,
        raised_at=now,
    )


def _said(events: Sequence[Event]) -> tuple[str, list[str]]:
    """The name and the lines of these, in the language in force."""
    name = _plain(_words(events[0].name))[:100]
    return name, [_plain(_words(event.text)) for event in events]


def _words(words: Words) -> str:
    return words if isinstance(words, str) else words()


def _plain(text: str) -> str:
    """One line, of what a database can store and a message can show."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(kept.encode("utf-8", "replace").decode().split())
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
