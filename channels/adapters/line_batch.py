"""A multicast that LINE refuses for the sake of one id reaches all the others.

LINE names no id: the batch is halved until those that are refused stand alone. Each half has a key
of its own, made from the batch's and its place, so that the same batch, tried again, asks for the
same halves: what was accepted at an earlier try is known, and nobody gets it twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from channels.adapters.base import Failure, Receipt, SendError, refused, unknown

REFUSED = 400
AT_ONCE = 8  # requests: some twenty bad ids of 500 take 200, within the time of one send
HandOver = Callable[[Sequence[str], UUID], Awaitable[Receipt]]
Place = tuple[int, int]  # from which to which member of the batch


@dataclass
class _Found:
    """What LINE has said so far of parts of the batch."""

    receipts: list[Receipt] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    errors: list[SendError] = field(default_factory=list)


async def halve(members: Sequence[str], key: UUID, hand_over: HandOver) -> Receipt:
    """Send to those that LINE takes of a batch that it refused. Its answer names the others.
    Raises SendError: REFUSED when it takes nobody; UNKNOWN when it has taken some, and of the
    others nothing is known yet."""
    found = _Found()
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(place: Place) -> Sequence[Place]:
        """The halves of what is refused."""
        some = members[slice(*place)]
        try:
            async with turns:
                receipt = await hand_over(some, uuid5(key, f"{place[0]}-{place[1]}"))
        except SendError as error:
            if error.status != REFUSED:
                found.errors.append(error)
            elif len(some) == 1:
                found.strangers += some
            else:
                return _halves(place)
        else:
            found.receipts.append(receipt)
        return ()

    # The larger ones first: most people get it at once.
    asked: Sequence[Place] = _halves((0, len(members)))
    while asked and not found.errors:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(place)) for place in asked]
        asked = [half for task in tasks for half in task.result()]
    if found.errors:
        raise _in_doubt(found)
    if not found.receipts:
        raise refused("LINE takes none of these ids.", status=REFUSED)
    return replace(
        found.receipts[0],
        answer=_evidence(found),
        already=all(receipt.already for receipt in found.receipts),
    )


def _halves(place: Place) -> Sequence[Place]:
    start, end = place
    middle = (start + end) // 2
    return (start, middle), (middle, end)


def _in_doubt(found: _Found) -> SendError:
    """What came in between. Where some were taken, the batch as a whole is neither refused nor
    not sent, whatever LINE said of the others; asked again, it knows those it has."""
    worst = next((e for e in found.errors if e.failure == Failure.UNKNOWN), found.errors[0])
    if not found.receipts:
        return worst
    return unknown(
        f"LINE took part of this batch, and then: {worst}",
        after=worst.after,
        account_wide=any(error.account_wide for error in found.errors),
        spent=any(error.spent for error in found.errors),
        status=worst.status,
        request_id=worst.request_id,
        answer=_evidence(found) | {"said": worst.answer},
    )


def _evidence(found: _Found) -> dict[str, Any]:
    requests = [receipt.request_id for receipt in found.receipts]
    return {"refused": sorted(found.strangers), "requests": requests}
