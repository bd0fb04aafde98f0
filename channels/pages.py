"""The chat of a sandbox room: what arrived, as the room shows it, and what arrives."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from channels.adapters.sandbox import SandboxAdapter
from channels.models import Room, SandboxMessage
from orgs.moments import clock, exact
from orgs.reach import within

SANDBOX = SandboxAdapter.kind
SHOWN = 50  # messages at a time
LINKED = "/m/"  # where our own links to images begin
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Bubble:
    """One message, ready to be shown. `new_day`: the day to name above it."""

    id: int
    text: str
    image: str
    time: str
    iso: str
    exact: str
    new_day: date | None


@require_safe
def chat(request: HttpRequest, pk: int) -> HttpResponse:
    """The page: the last messages, the newest at the bottom."""
    room = _sandbox_room(request, pk)
    rows = _last(_messages(room))
    context = {
        **admin.site.each_context(request),
        "title": room.name,
        "opts": Room._meta,
        "zone": room.unit.zone,
        "last_id": rows[-1].pk if rows else 0,
        **_shown(room, rows),
    }
    return render(request, "channels/chat.html", context)


@require_safe
def messages(request: HttpRequest, pk: int) -> HttpResponse:
    """A piece of the chat: `?before=` an id the messages before it, `?after=` one what came
    since, or 204 when nothing did."""
    room = _sandbox_room(request, pk)
    if "before" in request.GET:
        before = _id_in(request, "before")
        rows = _last(_messages(room).filter(pk__lt=before))
        return render(request, "channels/chat_earlier.html", _shown(room, rows))
    after = _id_in(request, "after")
    rows = list(_messages(room).filter(pk__gt=after).order_by("pk")[:SHOWN])
    if not rows:
        return HttpResponse(status=204)
    previous = _messages(room).filter(pk__lte=after).order_by("-pk").first()
    context = _shown(room, rows, _day(room, previous)) | {"last_id": rows[-1].pk}
    return render(request, "channels/chat_new.html", context)


def _sandbox_room(request: HttpRequest, pk: int) -> Room:
    rooms = Room.objects.filter(account__kind=SANDBOX).select_related("unit")
    room = within(request.user, rooms).filter(pk=pk).first()
    if room is None:
        raise Http404
    return room


def _messages(room: Room) -> QuerySet[SandboxMessage]:
    # By account and address, as a vendor would: who reaches the room may read it.
    return SandboxMessage.objects.filter(account_id=room.account_id, address=room.address)


def _last(rows: QuerySet[SandboxMessage]) -> list[SandboxMessage]:
    """One more than is shown, so that it is known whether there are earlier ones."""
    return list(rows.order_by("-pk")[: SHOWN + 1])[::-1]


def _shown(room: Room, rows: list[SandboxMessage], last_day: date | None = None) -> dict[str, Any]:
    kept = rows[-SHOWN:]
    return {
        "room": room,
        "bubbles": list(_bubbles(room, kept, last_day)),
        "earlier_than": kept[0].pk if len(rows) > SHOWN else None,
    }


def _bubbles(room: Room, rows: Iterable[SandboxMessage], last_day: date | None) -> Iterable[Bubble]:
    for row in rows:
        day = _day(room, row)
        yield Bubble(
            id=row.pk,
            text=str(row.body.get("text", "")),
            image=_image_path(str(row.body.get("url", ""))),
            time=clock(row.arrived_at, room.unit.zone),
            iso=row.arrived_at.isoformat(),
            exact=exact(row.arrived_at, room.unit.zone),
            new_day=day if day != last_day else None,
        )
        last_day = day


def _day(room: Room, row: SandboxMessage | None) -> date | None:
    return row.arrived_at.astimezone(ZoneInfo(room.unit.zone)).date() if row else None


def _image_path(url: str) -> str:
    """The path of one of our links: the page may load images from its own host only, which
    need not be the public one. Anything else is no image."""
    path = urlsplit(url).path
    return path if path.startswith(LINKED) else ""


def _id_in(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "")
    if not (given.isascii() and given.isdigit()) or int(given[:20]) > LARGEST_ID:
        raise Http404
    return int(given)
