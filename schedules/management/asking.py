"""Asks an account's channel what it can tell without sending anything."""

import asyncio
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, F, Q

from channels.adapters.base import Failure, SendError
from channels.models import Account, Room
from schedules.dispatch import meter
from schedules.dispatch.send import Senders

CANNOT_BE_ASKED = "cannot be asked"


@dataclass(frozen=True)
class Asked:
    """An account, how many rooms it has, and those to be asked about."""

    account: Account
    count: int
    rooms: list[Room]


@dataclass
class Found:
    """What is known of an account. `lost`: rooms in which we no longer are."""

    id: int
    account: str
    channel: str
    rooms: int
    credentials: str = CANNOT_BE_ASKED
    used: int | None = None
    limit: int | None = None
    lost: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not (self.problems or self.lost)


def choose(only: Account | None, *, rooms: int) -> list[Asked]:
    """The accounts in use, or this one; of each so many rooms, longest not counted first."""
    accounts = (
        Account.objects.filter(pk=only.pk) if only else Account.objects.filter(is_active=True)
    )
    live = Count("room", filter=Q(room__is_active=True, room__left_at=None))
    return [
        Asked(account, account.live, _rooms(account, rooms))
        for account in accounts.annotate(live=live).order_by("name", "id")
    ]


def _rooms(account: Account, most: int) -> list[Room]:
    rows = Room.objects.filter(account=account, is_active=True, left_at=None)
    return list(rows.order_by(F("members_read_at").asc(nulls_first=True), "id")[:most])


async def ask_account(asked: Asked, senders: Senders) -> Found:
    """Its credentials, its quota where it bills, and its rooms where the channel tells of them."""
    account = asked.account
    found = Found(account.pk, account.name, account.kind, asked.count)
    if account.stopped_at:
        found.problems.append(f"It is stopped: {account.stopped_why}")
    found.credentials, error = await _ask_credentials(account, senders)
    if error:
        found.problems.append(error)
        return found
    if account.meters:
        await _ask_quota(account, senders, found)
    for room in asked.rooms:
        await _ask_room(account, room, senders, found)
    return found


async def _ask_credentials(account: Account, senders: Senders) -> tuple[str, str]:
    """In a word, and what is wrong."""
    try:
        can_be_asked = account.adapter_class.can_be_checked()
        senders.adapter(account)
    except KeyError:
        return "unknown", f"The channel “{account.kind}” is not installed."
    except ImproperlyConfigured as error:
        return "closed", str(error)
    if not can_be_asked:
        return CANNOT_BE_ASKED, ""
    _nothing, why = await meter.ask(account, senders, lambda adapter: adapter.check())
    return ("failed" if why else "ok"), why


async def _ask_quota(account: Account, senders: Senders, found: Found) -> None:
    quota, error = await meter.ask(account, senders, lambda adapter: adapter.quota())
    if quota is None:
        found.problems.append(error)
        return
    found.used, found.limit = quota.used, quota.limit
    if quota.limit is not None and quota.used >= quota.limit:
        found.problems.append("Its month is used up.")


async def _ask_room(account: Account, room: Room, senders: Senders, found: Found) -> None:
    try:
        async with asyncio.timeout(meter.DEADLINE):
            await senders.adapter(account).size(room.address)
    except SendError as error:
        if error.failure == Failure.REFUSED:
            found.lost.append(room.name)
        else:
            found.problems.append(f"{room.name}: {error}")
    except TimeoutError:
        found.problems.append(f"{room.name}: the channel did not answer in time.")
