"""What people do with webhooks: keep one, change its secret, try it, send something again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from channels.http import allowed_networks
from channels.models import Fact, FactKind, Webhook, WebhookDelivery
from channels.models.webhook import EVENTS
from channels.outgoing import UnsafeUrl, check_url
from channels.webhooks.note import give_up_waiting
from channels.webhooks.signing import new_secret
from channels.webhooks.spread import body_of
from channels.webhooks.take import HOLD
from logs import history
from orgs.actions.facts import check, differences
from orgs.actions.kept import held, store
from orgs.clock import database_now
from orgs.reach import Act, can_in
from orgs.refusal import OutOfReach, Refused

BOTH_SECRETS = timedelta(days=1)
COLUMNS = ("name", "url", "events", "is_active")

State = WebhookDelivery.State


def problem_of_url(url: str) -> str:
    """Why it cannot be called; "" if it can. Asks the DNS: not to be called in a transaction."""
    try:
        check_url(url, allowed_networks())
    except UnsafeUrl as error:
        return str(error)
    return ""


@transaction.atomic
def add(values: Mapping[str, Any], *, by: Any, url_problem: str) -> Webhook:
    """A new one, with a secret of its own. `url_problem`: what `problem_of_url` said."""
    if not can_in(by, Act.CREATE, Webhook, values["unit"]):
        raise OutOfReach(_("You cannot add webhooks there."))
    webhook = Webhook(unit=values["unit"], told_from=database_now())
    webhook.secrets = {"secret": new_secret()}
    return _save(webhook, values, "created", by, url_problem)


@transaction.atomic
def change(webhook: Webhook, values: Mapping[str, Any], *, by: Any, url_problem: str) -> Webhook:
    """Give it these values; its unit stays. Switched on, it is as good as new."""
    row = _locked(webhook, by)
    was_active = row.is_active
    if values.get("is_active") and not was_active:
        row.failing_since, row.stopped_at, row.stopped_why = None, None, ""
        # It is told what happens from now on.
        row.told_from = database_now()
    _save(row, values, "updated", by, url_problem)
    if was_active and not row.is_active:
        give_up_waiting(row.pk, database_now())
    return row


@transaction.atomic
def remove(webhook: Webhook, *, by: Any) -> None:
    """With the log of what it was told."""
    row = _locked(webhook, by, Act.DELETE)
    now, path = database_now(), row.unit.path
    history.record("deleted", row, by=by, now=now, unit_path=path)
    row.delete()


@transaction.atomic
def renew_secret(webhook: Webhook, *, by: Any) -> Webhook:
    """A new secret. The one before it signs, too, for a day: nothing is refused meanwhile."""
    row, now = _locked(webhook, by), database_now()
    row.secrets = {"secret": new_secret(), "previous": row.secrets["secret"]}
    row.previous_until = now + BOTH_SECRETS
    row.save(update_fields=["sealed", "previous_until"])
    history.record("secret_renewed", row, by=by, now=now, unit_path=row.unit.path)
    return row


@transaction.atomic
def send_test(webhook: Webhook, *, by: Any) -> WebhookDelivery:
    """A message that says that it is a test, to this one alone."""
    row, now = _active(_locked(webhook, by)), database_now()
    path = row.unit.path
    fact = Fact(kind=FactKind.TEST, unit_path=path, at=now, spread_at=now)
    fact.data = {"webhook": row.pk, "name": row.name}
    fact.body = body_of(fact, {path: row.unit})
    fact.save()
    history.record("tested", row, by=by, now=now, unit_path=path)
    return WebhookDelivery.objects.create(webhook=row, fact=fact, next_try_at=now)


@transaction.atomic
def resend(delivery: WebhookDelivery, *, by: Any) -> WebhookDelivery:
    """Tell it once more, whether it was told or not: the same body, with the same id. What waits
    for its next try is tried now, unless a worker may have it in its hold."""
    webhook, now = _active(_locked(delivery.webhook, by)), database_now()
    is_held = Q(state=State.WAITING, next_try_at__lte=now + HOLD)
    row = WebhookDelivery.objects.filter(~is_held, pk=delivery.pk)
    if not row.update(state=State.WAITING, tries=0, next_try_at=now, ended_at=None):
        raise Refused(_("It is being delivered already."))
    about = {"message": delivery.fact.message_id, "event": delivery.fact.kind}
    history.record("resent", webhook, by=by, now=now, unit_path=webhook.unit.path, changes=about)
    delivery.refresh_from_db()
    return delivery


def _locked(webhook: Webhook, by: Any, act: Act = Act.CHANGE) -> Webhook:
    return held(webhook, "unit", by=by, act=act, absent=_("There is no such webhook."))


def _active(webhook: Webhook) -> Webhook:
    if not webhook.is_active:
        raise Refused(_("This webhook is switched off: switch it on first."))
    return webhook


def _save(
    webhook: Webhook, values: Mapping[str, Any], verb: str, by: Any, url_problem: str
) -> Webhook:
    if url_problem:
        raise Refused(url_problem, {"url": [url_problem]})
    before = _facts(webhook) if webhook.pk else {}
    for name in COLUMNS:
        if name in values:
            setattr(webhook, name, values[name])
    _check(webhook)
    store(webhook, _check)
    changes = differences(before, _facts(webhook))
    path, now = webhook.unit.path, database_now()
    history.record(verb, webhook, by=by, now=now, unit_path=path, changes=changes)
    return webhook


def _check(webhook: Webhook) -> None:
    known = [kind for kind, _label in EVENTS]
    webhook.events = [kind for kind in known if kind in webhook.events]
    if not webhook.events:
        raise Refused("", {"events": [_("Choose at least one event.")]})
    check(webhook)


def _facts(webhook: Webhook) -> dict[str, Any]:
    """What the history keeps: of the URL the host, for the rest may be a secret."""
    return {
        "name": webhook.name,
        "host": urlsplit(webhook.url).hostname or "",
        "events": webhook.events,
        "is_active": webhook.is_active,
    }
