"""Take: what is due, in this worker's hold, no more of one endpoint than is fair to the others."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, OuterRef, Subquery

from channels.models import Webhook, WebhookDelivery

AT_ONCE = 64  # of one worker
OF_ONE = 4  # endpoint; of one that fails, one: it may hang
HOLD = timedelta(minutes=1)  # who holds one is gone by then: calls end much sooner

WAITING = WebhookDelivery.State.WAITING


@dataclass(frozen=True)
class Call:
    """One message for one endpoint, in this worker's hold."""

    delivery: int
    webhook: int
    url: str = field(repr=False)
    secrets: list[str] = field(repr=False)
    message_id: str
    body: bytes = field(repr=False)
    tries: int  # with this one


def take(now: datetime, under_way: Counter[int]) -> list[Call]:
    """Take hold of what is due. `under_way`: how many calls of each endpoint this worker has."""
    free = AT_ONCE - under_way.total()
    calls: list[Call] = []
    for webhook in _with_work(now)[: max(free, 0)]:
        most = 1 if webhook.failing_since else OF_ONE
        wanted = min(most - under_way[webhook.pk], free - len(calls))
        if wanted > 0:
            calls += _take_of(webhook, wanted, now)
    return calls


def _with_work(now: datetime) -> list[Webhook]:
    """Endpoints with something due, those that have waited longest first."""
    due = WebhookDelivery.objects.filter(
        webhook=OuterRef("pk"), state=WAITING, next_try_at__lte=now
    )
    first = Subquery(due.order_by("next_try_at").values("next_try_at")[:1])
    active = Webhook.objects.filter(is_active=True).alias(first=first)
    return list(active.exclude(first=None).order_by("first", "pk")[: AT_ONCE * 2])


def _take_of(webhook: Webhook, wanted: int, now: datetime) -> list[Call]:
    try:
        signed_with = webhook.signing_secrets(now)
    except ImproperlyConfigured:
        return []  # it waits until its key is back in the setting
    due = WebhookDelivery.objects.filter(webhook=webhook, state=WAITING, next_try_at__lte=now)
    calls = []
    for row in due.select_related("fact").order_by("next_try_at", "id")[:wanted]:
        mine = WebhookDelivery.objects.filter(pk=row.pk, state=WAITING, next_try_at=row.next_try_at)
        if mine.update(next_try_at=now + HOLD, tries=F("tries") + 1):
            calls.append(
                Call(row.pk, webhook.pk, webhook.url, signed_with, row.fact.message_id,
                     row.fact.body.encode(), row.tries + 1)
            )  # fmt: skip
    return calls
