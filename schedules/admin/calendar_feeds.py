"""Feeds of the calendar: the page on which one gets and revokes one's own, and where programs read
them. Whoever knows an address needs no session."""

import hashlib
import re
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.scoped.times import zone_of
from orgs.clock import database_now
from orgs.models import Move, Unit, digest_of
from orgs.moments import exact
from orgs.reach import Act, can_anywhere, within
from schedules.actions.feed import give_feed, revoke_feed
from schedules.models import CalendarFeed, Schedule
from schedules.shown.calendar.feed import language_of, may_be_read, written

KEPT_SECONDS = 60
READ_EVERY = 600  # seconds between two notes that it was read
OFFERED = 500
STAMP = re.compile(r"^DTSTAMP:.*\r\n", re.MULTILINE)


def feeds_page(request: HttpRequest) -> HttpResponse:
    """One's own feeds; by POST a new one, whose address is shown in the answer alone."""
    if not can_anywhere(request.user, Act.VIEW, Schedule):
        raise Http404
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    units = within(request.user, Unit.objects.order_by("path"))
    address = ""
    if request.method == "POST":
        asked = request.POST.get("unit", "")
        is_id = asked.isascii() and asked.isdecimal() and len(asked) < 19
        unit = units.filter(pk=int(asked)).first() if is_id else None
        if unit is None:
            raise Http404
        details = request.POST.get("details") == "on"
        _feed, key = give_feed(unit, by=request.user, shows_details=details)
        address = f"{settings.TEIJI_PUBLIC_URL}/calendar/{key}.ics"
    zone = zone_of(request.user)
    mine = CalendarFeed.objects.filter(user=request.user.pk).select_related("unit")
    context = admin.site.each_context(request) | {
        "title": _("Calendar in other programs"),
        "address": address,
        "webcal": "webcal://" + address.partition("://")[2] if address else "",
        "feeds": [
            (feed, exact(feed.created_at, zone), feed.read_at and exact(feed.read_at, zone))
            for feed in mine.order_by("unit__path")
        ],
        "units": [("\u2007\u2007" * (row.depth - 1) + row.name, row) for row in units[:OFFERED]],
    }
    response = render(request, "schedules/calendar/feeds.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def feed_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Its address leads nowhere from now on."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    feed = CalendarFeed.objects.filter(user=request.user.pk, pk=pk).first()
    if feed is None:
        raise Http404
    revoke_feed(feed, by=request.user)
    messages.success(request, _("The address is revoked: it leads nowhere any more."))
    return redirect("calendar-feeds")


@require_safe
def feed_read(request: HttpRequest, key: str) -> HttpResponseBase:
    """The feed. A revoked one, one whose person may no longer see it and one that never was are
    answered alike."""
    found = CalendarFeed.objects.select_related("user", "unit")
    feed = found.filter(digest=digest_of(key)).first()
    if feed is None or not may_be_read(feed):
        return _said("", 404)
    body = _body(feed)
    etag = f'"{hashlib.sha256(STAMP.sub("", body).encode()).hexdigest()[:32]}"'
    response = _said(body, 200)
    response["ETag"] = etag
    answer: Any = get_conditional_response(request, etag=etag, response=response)
    return answer


def _body(feed: CalendarFeed) -> str:
    """As it was up to a minute ago. Of the same person's rights and the same tree: others are asked
    anew."""
    member = feed.user.member_or_none()
    path = member.unit.path if member else ""
    moved = Move.objects.order_by("-id").values_list("id", flat=True).first()
    about = (feed.pk, path, feed.unit.path, language_of(feed), feed.shows_details, moved)
    name = "feed:" + hashlib.sha256(repr(about).encode()).hexdigest()
    cache = caches["memory"]
    body: str | None = cache.get(name)
    if body is None:
        now = database_now()
        body = written(feed, now)
        cache.set(name, body, KEPT_SECONDS)
        if feed.read_at is None or (now - feed.read_at).total_seconds() > READ_EVERY:
            CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    return body


def _said(body: str, status: int) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = f"private, max-age={KEPT_SECONDS}" if body else "no-store"
    return response


page = admin.site.admin_view
urlpatterns = [
    path("admin/calendar/feeds/", page(feeds_page), name="calendar-feeds"),
    path("admin/calendar/feeds/<int:pk>/revoke/", page(feed_revoke), name="calendar-feed-revoke"),
    path("calendar/<str:key>.ics", feed_read, name="calendar-feed"),
]
