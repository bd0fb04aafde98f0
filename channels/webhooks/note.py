"""Note: writes what became of a call, and what follows for the endpoint."""

import logging
import random
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import transaction
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind
from channels.models import Webhook, WebhookAttempt, WebhookDelivery
from channels.webhooks.post import Answer
from channels.webhooks.take import WAITING, Call
from logs import history
from logs.said import retell

logger = logging.getLogger(__name__)

# Seconds until the second try, the third, …: three days and a half in all.
RETRY_AFTER = (60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 86_400)
JITTER = 0.2  # of a delay at most added: those that failed at once do not come back at once
GIVEN_UP_AFTER = timedelta(days=5)  # in which an endpoint took nothing

GONE = "It said that it is gone for good (HTTP 410)."
TAKES_NOTHING = "It has taken nothing for days."

State = WebhookDelivery.State


@transaction.atomic
def note(call: Call, answer: Answer, now: datetime) -> None:
    """A row that was deleted, or settled by somebody else meanwhile, stays as it is."""
    rows = WebhookDelivery.objects.filter(pk=call.delivery)
    delivery = rows.select_for_update().first()
    if delivery is None:
        return
    WebhookAttempt.objects.create(
        delivery=delivery, at=now, took_ms=answer.took_ms, status=answer.status, why=answer.why
    )
    waiting = rows.filter(state=WAITING)
    webhook = Webhook.objects.filter(pk=call.webhook)
    if answer.is_accepted:
        waiting.update(state=State.DELIVERED, ended_at=now)
        webhook.exclude(failing_since=None).update(failing_since=None)
        return
    if call.tries > len(RETRY_AFTER) or answer.status == HTTPStatus.GONE:
        waiting.update(state=State.FAILED, ended_at=now)
    else:
        waiting.update(next_try_at=now + delay(call.tries, answer.wait))
    webhook.filter(failing_since=None).update(failing_since=now)
    if answer.status == HTTPStatus.GONE:
        stop(call.webhook, GONE, now)
    elif webhook.filter(failing_since__lte=now - GIVEN_UP_AFTER).exists():
        stop(call.webhook, TAKES_NOTHING, now)


def delay(tries: int, wait: timedelta | None) -> timedelta:
    """How long until it is tried again after so many tries."""
    own = RETRY_AFTER[tries - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311
    return max(timedelta(seconds=own), wait or timedelta())


def stop(webhook_id: int, why: str, now: datetime) -> None:
    """Switch it off, and tell its managers; what waits for it can be sent again by a person."""
    row = Webhook.objects.filter(pk=webhook_id, is_active=True)
    if not row.update(is_active=False, stopped_at=now, stopped_why=why):
        return
    give_up_waiting(webhook_id, now)
    webhook = Webhook.objects.select_related("unit").get(pk=webhook_id)
    path = webhook.unit.path
    history.record_machine("stopped", [(webhook, path)], now=now, changes={"why": why})
    alerts.raise_(
        AlertKind.WEBHOOK,
        f"webhook:{webhook_id}",
        path,
        key=f"{AlertKind.WEBHOOK}:{webhook_id}:{now.isoformat()}",
        name=webhook.name,
        text=lambda: _("It is told nothing more: %(why)s") % {"why": retell(why)},
        now=now,
    )
    logger.error("webhook %s is switched off: %s", webhook_id, why)


def give_up_waiting(webhook_id: int, now: datetime) -> None:
    """What it was to be told is no longer tried."""
    rows = WebhookDelivery.objects.filter(webhook=webhook_id, state=WAITING)
    rows.update(state=State.FAILED, ended_at=now)
