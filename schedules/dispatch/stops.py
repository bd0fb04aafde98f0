"""Stops: an account of which its channel takes no message any more waits for a person.

Its credentials were refused, or its month is spent: each further message would fail as well. They
wait for as long as they may be late, and go when a person has seen to the account in time.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind
from channels.models import Account
from logs import history
from schedules.dispatch.claim import Claimed
from schedules.dispatch.outcome import Outcome

logger = logging.getLogger(__name__)


def stopped_among(claimed: Sequence[Claimed]) -> set[int]:
    """The stopped ones of these deliveries' accounts."""
    accounts = Account.objects.filter(id__in={delivery.account.pk for delivery in claimed})
    return set(accounts.filter(stopped_at__isnull=False).values_list("id", flat=True))


def stop_refused(outcomes: Iterable[Outcome]) -> None:
    """Stop the accounts that were refused as a whole, each once."""
    refused = {o.claimed.account.pk: o for o in outcomes if o.error and o.error.account_wide}
    for outcome in refused.values():
        with transaction.atomic():
            _stop(outcome.claimed.account, str(outcome.error), outcome.answered_at)


def _stop(account: Account, why: str, now: datetime) -> None:
    if not account.stop(why, now):
        return
    path = account.unit.path
    history.record_machine("stopped", [(account, path)], now=now, changes={"why": why})
    alerts.raise_(
        AlertKind.STOPPED,
        f"account:{account.pk}",
        path,
        key=f"stopped:{account.pk}:{now.isoformat()}",
        name=account.name,
        text=_("Nothing more is sent through it: %(why)s") % {"why": why},
        now=now,
    )
    logger.error("account %s is stopped: %s", account.pk, why)
