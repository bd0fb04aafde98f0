"""Stops: an account of which its channel takes no message any more waits for a person.

Its credentials were refused, or its month is spent: each further message would fail as well. They
wait for as long as they may be late, and go when a person has seen to the account in time; or, of
one that is spent, when its month has turned or its channel has told that there is room again.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from channels import alerts, facts
from channels.alerts import AlertKind
from channels.models import Account, FactKind, QuotaReading
from logs import history
from logs.said import retell
from orgs.clock import month_around
from schedules.dispatch.claim import Claimed
from schedules.dispatch.outcome import Outcome

logger = logging.getLogger(__name__)

# A channel holds back what a running delivery may need: right after a stop it tells of room that
# is none.
ROOM_AFTER = timedelta(minutes=10)


def stopped_among(claimed: Sequence[Claimed]) -> set[int]:
    """The stopped ones of these deliveries' accounts."""
    accounts = Account.objects.filter(id__in={delivery.account.pk for delivery in claimed})
    return set(accounts.filter(stopped_at__isnull=False).values_list("id", flat=True))


def stop_refused(outcomes: Iterable[Outcome]) -> None:
    """Stop the accounts that were refused as a whole, each once."""
    refused = {o.claimed.account.pk: o for o in outcomes if o.error and o.error.account_wide}
    for outcome in refused.values():
        with transaction.atomic():
            _stop(outcome)


def resume_spent(now: datetime) -> int:
    """Let those go on whose month has turned, or whose channel has told long enough after the
    stop that there is room. Returns how many."""
    spent = Account.objects.filter(is_spent=True, stopped_at__lte=now).select_related("unit")
    accounts = list(spent.select_related("quota"))
    return sum(go_on(account, now, _room_again) for account in accounts if _has_room(account, now))


@transaction.atomic
def go_on(account: Account, now: datetime, why: Callable[[], str]) -> bool:
    """Let it send again. Whoever was told that it was stopped is told that, too."""
    if not account.let_go_on():
        return False
    assert account.stopped_at is not None, "only a stopped one goes on"
    path = account.unit.path
    history.record_machine("resumed", [(account, path)], now=now)
    alerts.raise_(
        AlertKind.STOPPED,
        f"account:{account.pk}",
        path,
        key=f"over:{account.pk}:{account.stopped_at.isoformat()}",
        name=account.name,
        text=why,
        now=now,
        is_over=True,
    )
    logger.warning("account %s sends again", account.pk)
    return True


def _room_again() -> str:
    return _("Its month has room again: it sends.")


def _stop(outcome: Outcome) -> None:
    account, why, now = outcome.claimed.account, str(outcome.error), outcome.answered_at
    spent = bool(outcome.error and outcome.error.spent)
    if not account.stop(why, now, spent=spent):
        return
    path = account.unit.path
    history.record_machine("stopped", [(account, path)], now=now, changes={"why": why})
    alerts.raise_(
        AlertKind.STOPPED,
        f"account:{account.pk}",
        path,
        key=f"stopped:{account.pk}:{now.isoformat()}",
        name=account.name,
        text=lambda: _("Nothing more is sent through it: %(why)s") % {"why": retell(why)},
        now=now,
    )
    about = {"account": account.pk, "channel": account.kind, "quota_spent": spent}
    facts.note(FactKind.ACCOUNT_STOPPED, path, about, now)
    logger.error("account %s is stopped: %s", account.pk, why)


def _has_room(account: Account, now: datetime) -> bool:
    if account.stopped_at is None:
        return False
    if month_around(account.stopped_at, account.quota_zone).end <= now:
        return True
    reading: QuotaReading | None = getattr(account, "quota", None)
    if reading is None or reading.read_at is None:
        return False
    has_room = reading.limit is None or reading.used < reading.limit
    return has_room and reading.read_at >= account.stopped_at + ROOM_AFTER
