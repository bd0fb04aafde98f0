"""Meter: asks the channels that bill how much of the month is used, and how many a room reaches.

Nothing waits for it: it has a task and a database thread of its own, and every question a short
deadline. Where the answer is missing, messages go as before.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q

from channels.adapters.base import Quota
from channels.models import Account, Label, QuotaReading, Room
from channels.storable import storable
from schedules.dispatch.questions import put
from schedules.dispatch.send import Senders
from schedules.models import Delivery, Schedule
from schedules.states import DeliveryState, ScheduleState

READ_EVERY = timedelta(minutes=5)  # of an account that has something to send
SOON = timedelta(hours=1)  # what comes within it is something to send
LATELY = timedelta(hours=1)  # a draft that was changed within it may go at any moment
COUNT_EVERY = timedelta(days=1)  # the people of a room
ACCOUNTS_A_TURN = 50
ROOMS_A_TURN = 50
TO_COME = (ScheduleState.DRAFT, ScheduleState.WAITING, ScheduleState.ACTIVE, ScheduleState.PAUSED)
DEADLINE = 5.0  # seconds for one answer


@dataclass(frozen=True)
class Answer:
    """What a channel said of an account. `asked_at`: what is sent from then on, it may not have
    counted."""

    account_id: int
    asked_at: datetime
    quota: Quota | None
    error: str = ""
    labels: int | None = None  # used in this month, by whatever tool; None: not told


@dataclass(frozen=True)
class Answers:
    """Of one turn. The people of a room are None where the channel does not say."""

    quotas: list[Answer] = field(default_factory=list)
    people: list[tuple[int, int | None]] = field(default_factory=list)


def take_accounts(now: datetime) -> list[Account]:
    """Those whose quota is to be read, each taken by one worker."""
    old = Q(quota=None) | Q(quota__tried_at__lt=now - READ_EVERY)
    stale = Account.objects.metering().filter(old, is_active=True)
    if not stale.exists():
        return []
    asked = Q(quota=None) | Q(is_spent=True) | _has_work(now)
    wanted = stale.filter(asked).select_related("quota")
    oldest = wanted.order_by(F("quota__tried_at").asc(nulls_first=True), "id")[:ACCOUNTS_A_TURN]
    return [account for account in oldest if _take(account, now)]


def rooms_to_count(now: datetime) -> list[Room]:
    """Rooms that schedules and drafts name, whose people were not counted for long."""
    accounts = Account.objects.metering().filter(is_active=True)
    ids = list(accounts.values_list("pk", flat=True))
    if not ids:
        return []
    named = Schedule.objects.filter(rooms=OuterRef("pk"), deleted_at=None, state__in=TO_COME)
    old = Q(members_read_at=None) | Q(members_read_at__lt=now - COUNT_EVERY)
    rooms = Room.objects.filter(old, Exists(named), account_id__in=ids, is_active=True)
    oldest = rooms.order_by(F("members_read_at").asc(nulls_first=True), "id")
    return list(oldest.select_related("account")[:ROOMS_A_TURN])


async def read(accounts: Sequence[Account], rooms: Sequence[Room], senders: Senders) -> Answers:
    """Ask all of them at once."""
    quotas, people = await asyncio.gather(
        asyncio.gather(*(_quota_of(account, senders) for account in accounts)),
        asyncio.gather(*(_people_of(room, senders) for room in rooms)),
    )
    return Answers(list(quotas), [(room.pk, n) for room, n in zip(rooms, people, strict=True)])


def write(answers: Answers, now: datetime) -> None:
    """Keep what was told. A reading that failed leaves the last one as it is."""
    for answer in answers.quotas:
        row = QuotaReading.objects.filter(account_id=answer.account_id)
        if answer.quota is None:
            row.update(error=storable(answer.error)[:500])
        else:
            told = {"limit": answer.quota.limit, "used": answer.quota.used}
            row.update(**told, **_foreign(answer), read_at=answer.asked_at, error="")
    for room_id, people in answers.people:
        told = {"members_count": people} if people is not None else {}
        Room.objects.filter(pk=room_id).update(**told, members_read_at=now)


def _foreign(answer: Answer) -> dict[str, int]:
    """How many of the month's labels are not ours."""
    if answer.labels is None:
        return {}
    zone = Account.objects.get(pk=answer.account_id).quota_zone
    month = answer.asked_at.astimezone(ZoneInfo(zone)).date().replace(day=1)
    ours = Label.objects.filter(account_id=answer.account_id, month=month).count()
    return {"foreign_labels": max(answer.labels - ours, 0)}


def _has_work(now: datetime) -> Q:
    """Whether something is planned, comes soon, or is being written: who registers it for now
    reads what is left before, and the run is measured against it."""
    planned = Delivery.objects.filter(account=OuterRef("pk"), state=DeliveryState.PLANNED)
    soon = {"state": ScheduleState.ACTIVE, "next_due_at__lte": now + SOON}
    written = {"state": ScheduleState.DRAFT, "updated_at__gt": now - LATELY, "deleted_at": None}
    found = Q(Exists(planned))
    for schedules in (Schedule.objects.filter(**soon), Schedule.objects.filter(**written)):
        found |= Q(Exists(schedules.filter(rooms__account=OuterRef("pk"))))
        found |= Q(Exists(schedules.filter(audience__account=OuterRef("pk"))))
    return found


def _take(account: Account, now: datetime) -> bool:
    """Whether this worker asks; of several that look at once, one."""
    _row, is_new = QuotaReading.objects.get_or_create(account=account, defaults={"tried_at": now})
    old = QuotaReading.objects.filter(account=account, tried_at__lt=now - READ_EVERY)
    return is_new or bool(old.update(tried_at=now))


async def _quota_of(account: Account, senders: Senders) -> Answer:
    asked_at = senders.clock.now()
    quota, error = await ask(account, senders, lambda adapter: adapter.quota())
    labels = None
    if quota and account.adapter_class.labels_a_month:
        labels, _why = await ask(account, senders, lambda adapter: adapter.labels_used())
    return Answer(account.pk, asked_at, quota, error, labels)


async def _people_of(room: Room, senders: Senders) -> int | None:
    people, _error = await ask(room.account, senders, lambda adapter: adapter.size(room.address))
    return people if people is None else int(people)


async def ask(account: Account, senders: Senders, question: Any) -> tuple[Any, str]:
    """What an account's adapter answers within the deadline, or None and why there is nothing."""
    answer, error = await put(account, senders, question, seconds=DEADLINE)
    return answer, str(error) if error else ""
