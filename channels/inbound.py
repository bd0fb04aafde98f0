"""Where channels call us: stores what they tell and answers at once; the work comes later.

Whoever does not know an account's address gets the same answer for all.
"""

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from channels.adapters.base import Event, ForgedError
from channels.models import Account, InboundEvent
from channels.storable import storable
from orgs.clock import database_now

logger = logging.getLogger(__name__)

MOST_BYTES = 1024 * 1024
MOST_EVENTS = 1000
FUTURE = timedelta(minutes=5)  # a channel's clock may be ahead by so much


@csrf_exempt
@require_POST
def hear(request: HttpRequest, hook: UUID) -> HttpResponse:
    """One call by the channel of this account."""
    account = Account.objects.filter(hook=hook, is_active=True).first()
    if account is None:
        return HttpResponse(status=404)
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        events = account.open().inbound(headers, request.body)
    except (ForgedError, KeyError, ImproperlyConfigured) as error:
        logger.warning("account %s: a call was not believed: %s", account.pk, error)
        return HttpResponse(status=403)
    if len(events) > MOST_EVENTS:
        return HttpResponse(status=413)
    _store(account, events)
    return HttpResponse(status=200)


def _store(account: Account, events: list[Event]) -> None:
    now = database_now()
    rows = [
        InboundEvent(
            account=account,
            event_id=storable(event.id),
            kind=event.kind,
            address=storable(event.address[:200]),
            body=storable(event.body),
            happened_at=_moment(event.at, now),
            received_at=now,
        )
        for event in events
    ]
    InboundEvent.objects.bulk_create(rows, ignore_conflicts=True)


def _moment(at: float, now: datetime) -> datetime:
    """The channel's time, where it can be one."""
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return min(moment, now + FUTURE)


urlpatterns = [path("in/<uuid:hook>/", hear, name="hear")]
