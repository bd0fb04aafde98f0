"""Reads one archived run out of its month's file."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, cast

from logs.models import Attempt
from schedules.archive import files, lines
from schedules.archive.trouble import Trouble
from schedules.models import ArchivedRun, Delivery, Run


class Sent(NamedTuple):
    """A delivery as it was, with its attempts in their order. Unsaved rows."""

    delivery: Delivery
    attempts: list[Attempt]


class Read(NamedTuple):
    """A run as it was, unsaved, and some of its deliveries, the worst first."""

    run: Run
    sent: list[Sent]
    has_more: bool


def read(row: ArchivedRun, *, start: int = 0, most: int = 100) -> Read:
    """The run, and at most so many of its deliveries from number `start` on. Raises Trouble."""
    place = files.Place(row.starts_at, row.length, row.digest)
    own = _own_lines(row, files.read(row.month.month, place))
    run = cast(Run, lines.read(next(own)))
    sent = list(islice(_sent(own, start), most + 1))
    _bring(row.unit_path, run, sent)
    return Read(run, sent[:most], has_more=len(sent) > most)


def _bring(unit_path: str, run: Run, sent: list[Sent]) -> None:
    """To where their unit stands now: a file stays as it was written."""
    run.unit_path = unit_path
    for delivery, attempts in sent:
        delivery.unit_path = unit_path
        for attempt in attempts:
            attempt.unit_path = unit_path


def _own_lines(row: ArchivedRun, member: Iterator[bytes]) -> Iterator[bytes]:
    """The run's line, and those up to the next run's."""
    head = f'{{"is":"run","id":{row.pk},'.encode()
    for line in member:
        if line.startswith(head):
            yield line
            break
    else:
        raise Trouble(f"The archive holds nothing of run {row.pk}.")
    for line in member:
        if line.startswith(b'{"is":"run"'):
            return
        yield line


def _sent(own: Iterator[bytes], start: int) -> Iterator[Sent]:
    """Those from number `start` on; of the others nothing is read but where they begin."""
    number, held = -1, None
    for line in own:
        is_delivery = line.startswith(b'{"is":"delivery"')
        number += is_delivery
        if number < start:
            continue
        if is_delivery:
            if held:
                yield held
            held = Sent(cast(Delivery, lines.read(line)), [])
        elif held:
            held.attempts.append(cast(Attempt, lines.read(line)))
    if held:
        yield held
