"""How the text of a draft is counted while it is typed: as its strictest channel does."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from channels.adapters.base import Adapter
from channels.models import Account
from schedules.models import Schedule

# One character each; in UTF-16 one unit and two, in UTF-8 three bytes and four.
HANGUL, EMOJI = "\uac00", "\U0001f600"
UNITS = {(1, 1): "characters", (1, 2): "utf16", (2, 2): "wide", (3, 4): "bytes"}


@dataclass(frozen=True)
class Counting:
    """The limit of a channel and the unit in which the browser must count."""

    channel: Any
    most: int
    unit: str
    length: int


def counting_of(draft: Schedule) -> Counting | None:
    """The strictest of the chosen channels; None while neither rooms nor people are chosen."""
    adapters: list[Adapter] = []
    for account in _accounts_of(draft):
        try:
            adapters.append(account.open())
        except (KeyError, ValueError, ImproperlyConfigured):
            continue  # the preview says what is wrong with it
    if not adapters:
        return None
    strictest = min(adapters, key=lambda adapter: adapter.limits.text_length)
    return Counting(
        channel=strictest.label,
        most=strictest.limits.text_length,
        unit=UNITS.get((strictest.length(HANGUL), strictest.length(EMOJI)), "characters"),
        length=strictest.length(draft.text.strip()),
    )


def _accounts_of(draft: Schedule) -> Iterable[Account]:
    if draft.audience:
        return [draft.audience.account]
    return {
        room.account_id: room.account for room in draft.rooms.select_related("account")
    }.values()
