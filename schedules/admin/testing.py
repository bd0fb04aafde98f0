"""A test from the pages: the rooms that are offered, and the sending to those that were ticked."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from channels.models import Room
from config.scoped.choices import is_id
from orgs.reach import Act, can_in
from schedules import actions
from schedules.models import Schedule


def offered(row: Schedule, *, by: Any) -> dict[str, Any]:
    """What the question of a test shows: its rooms, or where one is added by who may."""
    rooms = list(actions.rooms_for_tests(row, by=by))
    may_add = not rooms and can_in(by, Act.CREATE, Room, row.unit)
    return {"test_rooms": rooms, "add_test_room_url": _add_url(row) if may_add else ""}


def send_as_asked(request: HttpRequest, row: Schedule) -> None:
    """Send it to those of its test rooms that were ticked. Raises Refused."""
    ticked = [pk for pk in request.POST.getlist("rooms") if pk and is_id(pk)]
    rooms = list(actions.rooms_for_tests(row, by=request.user).filter(pk__in=ticked))
    if not rooms:
        raise actions.Refused(_("Choose at least one test room."))
    run = actions.send_test(row, by=request.user, rooms=rooms)
    words = format_html(
        '{} <a class="tj-link" href="{}">{}</a>',
        _("The test is being sent."),
        reverse("admin:schedules_run_change", args=[run.pk]),
        _("See what becomes of it"),
    )
    messages.success(request, words)


def _add_url(row: Schedule) -> str:
    wanted = urlencode({"unit": row.unit_id, "kind": Room.Kind.TEST})
    return f"{reverse('admin:channels_room_add')}?{wanted}"
