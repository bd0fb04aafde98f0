"""Pace: asks for each delivery when its account's limit lets it leave."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.adapters import registry
from channels.adapters.base import Failure
from channels.limits import book, hold
from schedules.dispatch.claim import Claimed
from schedules.dispatch.outcome import Outcome

LONGEST_HOLD = timedelta(minutes=1)  # a channel that is away for longer is asked again meanwhile


@dataclass
class Paced:
    """When each may leave, by id; and those that must wait, with when to ask again."""

    times: dict[int, datetime] = field(default_factory=dict)
    waiting: list[tuple[Sequence[Claimed], datetime]] = field(default_factory=list)


def pace(batch: Iterable[Claimed], now: datetime) -> Paced:
    """Book the requests that the limits of these deliveries' accounts allow."""
    paced = Paced()
    for (account_id, endpoint, rate), group in _by_limit(batch).items():
        allowed: Sequence[datetime] = [now] * len(group)
        if rate is not None:
            booking = book(account_id, endpoint, rate=rate, wanted=len(group), now=now)
            allowed = booking.times
            if len(allowed) < len(group):
                paced.waiting.append((group[len(allowed) :], booking.ask_again_at))
        for delivery, moment in zip(group, allowed, strict=False):
            paced.times[delivery.id] = max(moment, delivery.next_try_at)
    return paced


def slow_down(outcomes: Iterable[Outcome]) -> None:
    """Where a channel said that it is too much, hold everything for that endpoint."""
    for outcome in outcomes:
        error, claimed = outcome.error, outcome.claimed
        if error is None or error.failure != Failure.LATER or error.after is None:
            continue
        endpoint, rate = _limit(claimed)
        if rate is not None:
            pause = min(timedelta(seconds=error.after), LONGEST_HOLD)
            hold(claimed.account.pk, endpoint, outcome.answered_at + pause)


def _by_limit(batch: Iterable[Claimed]) -> dict[tuple[int, str, float | None], list[Claimed]]:
    groups: dict[tuple[int, str, float | None], list[Claimed]] = defaultdict(list)
    for delivery in batch:
        groups[delivery.account.pk, *_limit(delivery)].append(delivery)
    return groups


def _limit(delivery: Claimed) -> tuple[str, float | None]:
    account = delivery.account
    if account.kind not in registry():
        return "", None  # refused when it is opened
    endpoint = account.adapter_class.endpoint(batch=delivery.is_batch)
    return endpoint, account.rate_of(endpoint)
