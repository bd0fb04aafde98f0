"""Samples: of a run that is frozen, and not yet sent, what its channel is asked about: every
different message once for an account, and which field of the form each part of it comes from."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from channels.adapters.base import Bubble, Payload, SendError, Target
from channels.models import Account, Room
from schedules.content import ContentImage
from schedules.runs.frozen import Frozen

Facts = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """One payload, with somebody who gets it. `fields`: what each of its messages is."""

    account: Account
    target: Target
    payload: Payload
    fields: tuple[Facts, ...]

    def faults(self, error: SendError) -> list[Facts]:
        """What the channel's refusal is about, field by field; of one that names no message it is
        only known why."""
        words: dict[int, list[str]] = {}
        for place in error.places:
            if place.message < len(self.fields):
                words.setdefault(place.message, []).append(place.why)
        return [
            {
                **self.fields[number],
                "why": "; ".join(filter(None, dict.fromkeys(why))) or str(error),
            }
            for number, why in sorted(words.items())
        ] or [{"why": str(error)}]


def samples(
    frozen: Frozen, account: Account, rooms: Iterable[Room], *, member: str = ""
) -> Iterator[Sample]:
    """Of what would go through this account to these rooms of it, or to the audience that
    `member` is in."""
    adapter = account.adapter_class(config=None)
    images = frozen.run.schedule.content.sent_images
    known: set[str] = set()
    for target, payloads in _handed_over(frozen, account, rooms, member):
        bubbles = [adapter.preview(payload) for payload in payloads]
        for payload, fields in zip(payloads, _fields(bubbles, images), strict=True):
            same = json.dumps(payload, sort_keys=True)
            if same not in known:
                known.add(same)
                yield Sample(account, target, payload, fields)


def _handed_over(
    frozen: Frozen, account: Account, rooms: Iterable[Room], member: str
) -> Iterator[tuple[Target, list[Payload]]]:
    """Without placeholders all rooms of an account share a list: it is given once."""
    if audience := frozen.audience:
        target = Target(str(audience.uid), audience.name, (member,))
        yield target, frozen.run.payloads[str(account.pk)]
        return
    mine, given = {room.pk: room for room in rooms if room.account_id == account.pk}, set()
    for delivery in frozen.deliveries:
        room = mine.get(delivery.room_id or 0)
        if room is None or delivery.reason or id(delivery.payloads) in given:
            continue
        given.add(id(delivery.payloads))
        yield Target(room.address, room.name), delivery.payloads


def _fields(
    payloads: Sequence[Sequence[Bubble]], images: Sequence[ContentImage]
) -> Iterator[tuple[Facts, ...]]:
    """The images are sent in the order of the form, in one payload or over several."""
    numbers = iter(enumerate(images, start=1))
    for bubbles in payloads:
        yield tuple(
            _image(numbers) if bubble.kind == "image" else {"field": "text"} for bubble in bubbles
        )


def _image(numbers: Iterator[tuple[int, ContentImage]]) -> Facts:
    found = next(numbers, None)
    return {"field": "images"} | ({"number": found[0], "image": found[1].name} if found else {})
