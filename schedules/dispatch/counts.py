"""Counts: what channels say, from the day after, of what they delivered and of who opened it.

Asked beside the meter, in its task. A day that is not counted yet is asked about again each hour,
for a week; a label each day, as long as its days last.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet, Sum

from channels.adapters import registry
from channels.adapters.base import Adapter, Failure, SendError
from channels.adapters.counting import Statistics
from channels.models import Account, DayCount, Label
from logs.models import Attempt
from schedules.dispatch.meter import ask
from schedules.dispatch.send import Senders

LOOK_EVERY = timedelta(minutes=1)
NOTE_EVERY = timedelta(hours=1)  # looks for days that are over
SETTLED = timedelta(hours=1)  # after midnight: what was accepted before it is in the log
LOOK_BACK = 3  # days: workers may have stood still
AGAIN = timedelta(hours=1)
GIVEN_UP = timedelta(days=8)  # after a day began
DAYS_A_TURN = 20
LABELS_A_TURN = 20
LABELS_AN_HOUR = 50  # of one account: vendors let statistics be asked for rarely
DAY = timedelta(days=1)

Persist = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Taken:
    """What one worker asks now. `until`: the last day of each label that is to be counted."""

    days: Sequence[DayCount]
    labels: Sequence[tuple[Label, date]]


class Asker:
    """Of one worker. `persist` does database work."""

    def __init__(self, persist: Persist, senders: Senders) -> None:
        self._persist, self._senders = persist, senders
        self._looked_at = self._noted_at = datetime.min.replace(tzinfo=ZoneInfo("UTC"))

    async def turn(self) -> None:
        """Ask what is to be asked, if it is time to look."""
        now = self._senders.clock.now()
        if now < self._looked_at + LOOK_EVERY:
            return
        self._looked_at = now
        if now >= self._noted_at + NOTE_EVERY:
            await self._persist(note_days, now)
            self._noted_at = now
        taken: Taken = await self._persist(take, now)
        if taken.days or taken.labels:
            answers = await read(taken, self._senders)
            await self._persist(write, taken, answers, self._senders.clock.now())


def note_days(now: datetime) -> None:
    """Of each day that is over, how many messages were handed over by each account and endpoint."""
    for zone, kinds in _zones(lambda adapter: bool(adapter.counts)).items():
        accounts = Account.objects.filter(kind__in=kinds).values_list("pk", "kind")
        channels = {pk: registry()[kind] for pk, kind in accounts}
        today = (now - SETTLED).astimezone(ZoneInfo(zone)).date()
        rows: list[DayCount] = []
        for back in range(1, LOOK_BACK + 1) if channels else ():
            rows += _handed(channels, today - back * DAY, ZoneInfo(zone))
        DayCount.objects.bulk_create(rows, ignore_conflicts=True)  # the other days are known


def take(now: datetime) -> Taken:
    """What is to be asked, each taken by one worker."""
    days = DayCount.objects.to_ask(now - AGAIN).filter(account__is_active=True)
    return Taken(
        [row for row in _oldest(days)[:DAYS_A_TURN] if _is_mine(row, now)],
        [found for found in _labels(now) if _is_mine(found[0], now)],
    )


async def read(taken: Taken, senders: Senders) -> list[tuple[Any, str]]:
    """The answers, days before labels; each None with the reason where there is none. A
    SendError is an answer, too."""
    questions = [_ask_day(row, senders) for row in taken.days]
    questions += [_ask_label(label, until, senders) for label, until in taken.labels]
    return list(await asyncio.gather(*questions))


def write(taken: Taken, answers: Sequence[tuple[Any, str]], now: datetime) -> None:
    """Keep what was told. A question that failed leaves the last answer as it is."""
    of_days, of_labels = answers[: len(taken.days)], answers[len(taken.days) :]
    for row, (answer, error) in zip(taken.days, of_days, strict=True):
        DayCount.objects.filter(pk=row.pk).update(**_day_told(row, answer, error, now))
    for (label, until), (answer, error) in zip(taken.labels, of_labels, strict=True):
        Label.objects.filter(pk=label.pk).update(**_label_told(answer, error, until))


def _zones(counts: Callable[[type[Adapter]], bool]) -> dict[str, list[str]]:
    """By zone, the kinds of channels that count."""
    found: dict[str, list[str]] = {}
    for kind, adapter in registry().items():
        if counts(adapter):
            found.setdefault(adapter.quota_zone, []).append(kind)
    return found


def _handed(channels: dict[int, type[Adapter]], day: date, zone: ZoneInfo) -> list[DayCount]:
    start, end = (datetime.combine(d, time(), zone) for d in (day, day + DAY))
    accepted = Attempt.objects.filter(
        account_id__in=channels, billed__gt=0, answered_at__gte=start, answered_at__lt=end
    )
    sums = accepted.order_by().values_list("account_id").annotate(
        alone=Sum("billed", filter=Q(audience_id=None), default=0),
        batches=Sum("billed", filter=Q(audience_id__isnull=False), default=0),
    )  # fmt: skip
    rows = []
    for account_id, alone, batches in sums:
        for is_batch, handed in ((False, alone), (True, batches)):
            endpoint = channels[account_id].endpoint(batch=is_batch)
            if handed and endpoint in channels[account_id].counts:
                rows.append(
                    DayCount(account_id=account_id, day=day, endpoint=endpoint, handed=handed)
                )
    return rows


def _labels(now: datetime) -> list[tuple[Label, date]]:
    """Those to ask about, as many as their accounts may still ask about in this hour."""
    asked = Label.objects.filter(tried_at__gt=now - AGAIN).order_by().values("account_id")
    counts = Counter(dict(asked.annotate(asked=Count("pk")).values_list("account_id", "asked")))
    full = [account_id for account_id, count in counts.items() if count >= LABELS_AN_HOUR]
    found: list[tuple[Label, date]] = []
    for zone, kinds in _zones(lambda adapter: bool(adapter.labels_a_month)).items():
        yesterday = (now - SETTLED).astimezone(ZoneInfo(zone)).date() - DAY
        rows = Label.objects.to_ask(yesterday).filter(
            Q(tried_at=None) | Q(tried_at__lte=now - AGAIN),
            account__kind__in=kinds,
            account__is_active=True,
        )
        for label in _oldest(rows.exclude(account_id__in=full))[:LABELS_A_TURN]:
            counts[label.account_id] += 1
            if counts[label.account_id] <= LABELS_AN_HOUR:
                found.append((label, min(yesterday, label.ends_on)))
    return found


def _oldest(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("account").order_by(F("tried_at").asc(nulls_first=True), "id")


def _is_mine(row: Any, now: datetime) -> bool:
    """Whether this worker asks; of several that look at once, one."""
    unasked = type(row).objects.filter(pk=row.pk, tried_at=row.tried_at)
    return bool(unasked.update(tried_at=now))


async def _ask_day(row: DayCount, senders: Senders) -> tuple[Any, str]:
    async def question(adapter: Adapter) -> int | SendError:
        try:
            return await adapter.counted(row.endpoint, row.day)
        except SendError as error:
            return error

    return await ask(row.account, senders, question)


async def _ask_label(label: Label, until: date, senders: Senders) -> tuple[Any, str]:
    def question(adapter: Adapter) -> Awaitable[Statistics]:
        return adapter.statistics(label.name, label.started_on, until)

    return await ask(label.account, senders, question)


def _day_told(row: DayCount, answer: Any, error: str, now: datetime) -> dict[str, Any]:
    if isinstance(answer, int):
        return {"told": answer, "is_open": False, "error": ""}
    never = False
    if isinstance(answer, SendError):
        error = str(answer)
        never = answer.failure == Failure.REFUSED and not answer.account_wide
    began = datetime.combine(row.day, time(), ZoneInfo(row.zone))
    return {"error": error[:500], "is_open": not never and now < began + GIVEN_UP}


def _label_told(answer: Statistics | None, error: str, until: date) -> dict[str, Any]:
    if answer is None:
        return {"error": error[:500]}
    told = {"opened": answer.opened, "clicked": answer.clicked}
    return {**told, "counted_until": until, "error": ""}
