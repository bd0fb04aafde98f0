"""A multicast that LINE refuses for the sake of one id reaches all the others.

LINE names no id: the batch is halved until those that are refused stand alone. Each half has a key
of its own, made from the batch's and its place, so that the same batch, tried again, asks for the
same halves: what was accepted at an earlier try is known, and nobody gets it twice.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from uuid import UUID, uuid5

from channels.adapters.base import Receipt, SendError, refused

REFUSED = 400
HandOver = Callable[[Sequence[str], UUID], Awaitable[Receipt]]


async def halve(members: Sequence[str], key: UUID, hand_over: HandOver) -> Receipt:
    """Send to those that LINE takes of a batch that it refused. Its answer names the others.
    Raises SendError: REFUSED when it takes nobody."""
    receipts: list[Receipt] = []
    strangers: list[str] = []
    left = [(0, len(members))]
    while left:
        start, end = left.pop()
        middle = (start + end) // 2
        for place in ((start, middle), (middle, end)) if end - start > 1 else ():
            some = members[slice(*place)]
            try:
                receipts.append(await hand_over(some, uuid5(key, f"{place[0]}-{place[1]}")))
            except SendError as error:
                if error.status != REFUSED:
                    raise
                strangers += some if len(some) == 1 else []
                left += [place] if len(some) > 1 else []
    if not receipts:
        raise refused("LINE takes none of these ids.", status=REFUSED)
    first = receipts[0]
    evidence = {"refused": sorted(strangers), "requests": [r.request_id for r in receipts]}
    return replace(first, answer=evidence, already=all(r.already for r in receipts))
