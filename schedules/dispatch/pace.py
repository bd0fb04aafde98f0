"""Pace: asks for each delivery when its account's limits let it leave."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from channels import turns
from channels.adapters import registry
from channels.limits import book, hold
from schedules.dispatch.claim import Claimed, postpone
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.spacing import free_from
from schedules.dispatch.stops import stop_refused, stopped_among

LONGEST_HOLD = timedelta(minutes=1)  # a channel that is away for longer is asked again meanwhile
STOP_EVERY = timedelta(seconds=2)  # a person may let a stopped account go on
IN_HAND = timedelta(seconds=0.5)  # for so long a room is waited for without giving back
TURN_EVERY = timedelta(seconds=0.2)  # another worker's turn may end at any time


@dataclass
class Paced:
    """When each may leave, by id; and those that must wait, with when to ask again."""

    times: dict[int, datetime] = field(default_factory=dict)
    waiting: list[tuple[Sequence[Claimed], datetime]] = field(default_factory=list)
    given_back: list[Claimed] = field(default_factory=list)  # their rooms are not free yet
    left_out: list[Claimed] = field(default_factory=list)  # nor will be in time


def is_serial(delivery: Claimed) -> bool:
    """Whether its channel takes one message at a time."""
    adapter = registry().get(delivery.account.kind)
    return adapter is not None and adapter.serial


def pace(batch: Sequence[Claimed], now: datetime) -> Paced:
    """Book the requests that the limits of these deliveries' accounts allow."""
    paced = Paced()
    going = _going(batch, paced, now)
    free = free_from(going, now)
    if free:
        going = _spaced(going, free, paced, now)
    for (account_id, endpoint, rate), together in _by_limit(going).items():
        group = _take_turn(together, paced, now) if is_serial(together[0]) else together
        allowed: Sequence[datetime] = [now] * len(group)
        if rate is not None and group:
            booking = book(account_id, endpoint, rate=rate, wanted=len(group), now=now)
            allowed = booking.times
            if len(allowed) < len(group):
                paced.waiting.append((group[len(allowed) :], booking.ask_again_at))
        for delivery, moment in zip(group, allowed, strict=False):
            earliest = max(moment, delivery.next_try_at)
            paced.times[delivery.id] = max(earliest, free.get(delivery.id, earliest))
    return paced


def note_answers(outcomes: Sequence[Outcome]) -> None:
    """What the answers mean for what leaves next: a device is free again; where a channel said
    that it is too much, everything for that endpoint is held; where it refused an account, all
    of that one."""
    stop_refused(outcomes)
    for outcome in outcomes:
        if is_serial(outcome.claimed):
            _end_turn(outcome)
        _slow_down(outcome)


def _going(batch: Sequence[Claimed], paced: Paced, now: datetime) -> list[Claimed]:
    """Without those of stopped accounts, which wait for as long as they may be late."""
    stopped = stopped_among(batch)
    held = [d for d in batch if d.account.pk in stopped and not d.is_missed(now)] if stopped else []
    if held:
        paced.waiting.append((held, now + STOP_EVERY))
    ids = {delivery.id for delivery in held}
    return [delivery for delivery in batch if delivery.id not in ids]


def _spaced(
    batch: Sequence[Claimed], free: Mapping[int, datetime], paced: Paced, now: datetime
) -> list[Claimed]:
    """Without those whose rooms are not free soon."""
    going: list[Claimed] = []
    waiting: list[tuple[Claimed, datetime]] = []
    for delivery in batch:
        moment = free.get(delivery.id, now)
        if not delivery.may_wait_until(moment):
            paced.left_out.append(delivery)
        elif moment > now + IN_HAND:
            waiting.append((delivery, moment))
        else:
            going.append(delivery)
    postpone(waiting)
    paced.given_back += [delivery for delivery, _moment in waiting]
    return going


def _take_turn(group: list[Claimed], paced: Paced, now: datetime) -> list[Claimed]:
    """The one of these that may go, or none; the others wait."""
    first, *rest = group
    at = max(now, first.next_try_at)
    # Whatever happens on the way: after its lease nothing of it is on the wire.
    until = at + timedelta(seconds=settings.TEIJI_WIRE_SECONDS)
    free_at = turns.take(_device(first), first.part_key, at=at, until=until)
    waiting = group if free_at else rest
    if waiting:
        paced.waiting.append((waiting, now + TURN_EVERY))
    return [] if free_at else [first]


def _end_turn(outcome: Outcome) -> None:
    claimed = outcome.claimed
    pause = 0.0
    if outcome.handed_at:
        with suppress(KeyError, ImproperlyConfigured):
            pause = claimed.account.open().pause_after(claimed.payload)
    until = outcome.answered_at + timedelta(seconds=pause)
    turns.end(_device(claimed), claimed.part_key, until=until)


def _device(claimed: Claimed) -> str:
    try:
        return claimed.account.open().device
    except (KeyError, ImproperlyConfigured):  # it is refused when it is sent
        return f"{claimed.account.kind}:{claimed.account.pk}"


def _slow_down(outcome: Outcome) -> None:
    error, claimed = outcome.error, outcome.claimed
    if error is None or error.after is None:
        return
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
