"""Where a phone that nobody can call fetches its messages, and says what it did with them.

    GET  /pull/<account>/next   Authorization: Bearer <token>, Teiji-Fetch: <a name for this fetch>
         → {"id": "…", "room": "…", "text": "…", "seconds": 30}, or {"id": null}
    POST /pull/<account>/ack    Authorization: Bearer <token>
         {"id": "…", "shown": true | false, "why": "…"} → {"id": "…", "shown": true | false}

The GET is one that gives something out: it needs two headers, which no link and no prefetching
browser sends. The same name of a fetch gets the same message again, as long as its answer may
have been lost on the way; another one gets nothing while a message is out.
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from time import time
from typing import Any
from uuid import UUID

from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from channels import pull
from channels.adapters import registry
from channels.models import Account, PulledMessage
from logs.history import origin
from orgs.clock import database_now
from schedules.dispatch import fence
from schedules.dispatch.frozen import a_phone_may_fetch
from schedules.models import Delivery
from schedules.models.delivery import part_key
from schedules.states import DeliveryState

logger = logging.getLogger(__name__)

FETCH = re.compile(r"[A-Za-z0-9-]{8,64}")
MOST_BYTES = 10_000  # of what a phone says
MARGIN = timedelta(seconds=5)  # for the phone to type it and to say so
WINDOW, MOST_IN_WINDOW = 10, 30  # seconds, and requests of one caller for one account in them

View = Callable[..., HttpResponse]


def for_phones(view: View) -> View:
    """Believe the phone by its account's token. Whatever is wrong, the answer is the same."""

    @never_cache
    @wraps(view)
    def ask(request: HttpRequest, hook: UUID) -> HttpResponse:
        if _is_too_often(hook):
            return _said({"error": "too many requests"}, 429, {"Retry-After": str(WINDOW)})
        account = _account(hook, request.headers.get("Authorization", ""))
        if account is None:
            return _said({"error": "no such account, or not its token"}, 401)
        return view(request, account)

    return ask


@require_GET
@for_phones
def fetch_next(request: HttpRequest, account: Account) -> HttpResponse:
    """The next message for this phone."""
    if not account.is_active:
        return _said({"id": None})
    fetch = request.headers.get("Teiji-Fetch", "")
    if not FETCH.fullmatch(fetch):
        return _said({"error": "Teiji-Fetch: 8 to 64 letters, digits or hyphens"}, 400)
    pause = timedelta(seconds=account.open().config.pause)
    row = pull.next_for(
        account, fetch, pause=pause, allowed=lambda: a_phone_may_fetch(account) & fence.is_down()
    )
    if row is None:
        return _said({"id": None})
    assert row.answer_by is not None, "written with the fetch"
    left = row.answer_by - MARGIN - database_now()
    seconds = max(int(left.total_seconds()), 0)
    return _said({"id": str(row.uid), "room": row.address, "text": row.text, "seconds": seconds})


@csrf_exempt
@require_POST
@for_phones
def acknowledge(request: HttpRequest, account: Account) -> HttpResponse:
    """What the phone did with a message."""
    said = _answer_in(request)
    if said is None:
        return _said({"error": 'a body like {"id": "…", "shown": true}'}, 400)
    uid, is_shown, why = said
    with transaction.atomic():
        row = pull.answer(account, uid, is_shown=is_shown, why=why)
        if row is not None:
            _ask_at_once(row)
    if row is None:
        return _said({"error": "no such message was given to this phone"}, 404)
    return _said({"id": str(row.uid), "shown": row.is_shown})


def _is_too_often(hook: UUID) -> bool:
    """By caller: whoever only knows the address cannot keep the phone out."""
    cache = caches["memory"]
    key = f"phone:{hook}:{origin.get().address}:{int(time() // WINDOW)}"
    cache.add(key, 0, WINDOW * 2)
    try:
        return int(cache.incr(key)) > MOST_IN_WINDOW
    except ValueError:  # it was thrown out meanwhile
        return False


def _account(hook: UUID, authorization: str) -> Account | None:
    word, _space, token = authorization.partition(" ")
    # An inactive one too: what its phone has typed already is still heard of.
    account = Account.objects.filter(hook=hook).first()
    if account is None or account.kind not in registry() or not account.adapter_class.pulls:
        return None
    try:
        is_phone = account.open().config.is_token(token)
    except ImproperlyConfigured:
        logger.exception("account %s: its token cannot be opened", account.pk)
        return None
    return account if word.lower() == "bearer" and is_phone else None


def _answer_in(request: HttpRequest) -> tuple[UUID, bool, str] | None:
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return None
    try:
        said = json.loads(request.body)
        uid, is_shown = UUID(said["id"]), said["shown"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(is_shown, bool):
        return None
    why = str(said.get("why") or "").replace("\x00", "").encode("utf-8", "replace").decode()
    return uid, is_shown, why


def _ask_at_once(message: PulledMessage) -> None:
    """Let the dispatcher look at the part of this message, also where it had given up asking."""
    unsure = Delivery.objects.filter(
        state=DeliveryState.UNCONFIRMED,
        account=message.account_id,
        room__address=message.address,
    )
    for pk, key, part in unsure.values_list("pk", "key", "part"):
        # One row only: who asks about several locks them in another order.
        if part_key(key, part) == message.key:
            unsure.filter(pk=pk).update(confirm_at=database_now())


def _said(
    body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> JsonResponse:
    content = "application/json; charset=utf-8"
    return JsonResponse(body, status=status, headers=headers, content_type=content)


urlpatterns = [
    path("pull/<uuid:hook>/next", fetch_next, name="pull-next"),
    path("pull/<uuid:hook>/ack", acknowledge, name="pull-ack"),
]
