"""A history entry in words: what was done, to what kind of thing, and what it changed."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from logs.models import History
from orgs.moments import exact

VERBS = {
    "created": gettext_lazy("created"),
    "updated": gettext_lazy("updated"),
    "deleted": gettext_lazy("deleted"),
    "imported": gettext_lazy("imported"),
    "exported": gettext_lazy("exported"),
    "paused": gettext_lazy("paused"),
    "resumed": gettext_lazy("resumed"),
    "cancelled": gettext_lazy("cancelled"),
    "asked": gettext_lazy("asked for approval"),
    "approved": gettext_lazy("approved"),
    "refused": gettext_lazy("refused"),
    "expired": gettext_lazy("expired without an answer"),
    "executed": gettext_lazy("run by hand"),
    "tested": gettext_lazy("sent as a test"),
    "rolled_back": gettext_lazy("rolled back"),
    "checked": gettext_lazy("checked before its run"),
    "split": gettext_lazy("ended here: another one goes on"),
    "occurrence_changed": gettext_lazy("changed one time"),
    "occurrence_restored": gettext_lazy("took the change of one time back"),
    "retried": gettext_lazy("tried again"),
    "backed_up": gettext_lazy("backed up"),
    "completed": gettext_lazy("completed"),
    "error": gettext_lazy("could not be planned"),
    "sent": gettext_lazy("sent"),
    "partial": gettext_lazy("partly sent"),
    "failed": gettext_lazy("failed"),
    "unconfirmed": gettext_lazy("not confirmed"),
    "skipped": gettext_lazy("skipped"),
    "arrived": gettext_lazy("decided: it arrived"),
    "send_again": gettext_lazy("decided: send again"),
    "leave": gettext_lazy("decided: leave it"),
    "stopped": gettext_lazy("stopped"),
    "fenced": gettext_lazy("all sending stopped"),
    "frozen": gettext_lazy("frozen"),
    "unfrozen": gettext_lazy("freeze lifted"),
    "lifted": gettext_lazy("sending let go on"),
    "restored": gettext_lazy("restored from a backup"),
    "view_as_begun": gettext_lazy("began to see the pages as somebody else"),
    "view_as_ended": gettext_lazy("saw the pages as oneself again"),
    "joined": gettext_lazy("joined"),
    "moved": gettext_lazy("moved"),
    "left": gettext_lazy("left"),
    "followed": gettext_lazy("follows the account again"),
    "unfollowed": gettext_lazy("no longer follows the account"),
    "pruned": gettext_lazy("old entries removed"),
    "archived": gettext_lazy("send log archived"),
    "archive_removed": gettext_lazy("archived send log removed"),
    "secret_renewed": gettext_lazy("secret renewed"),
    "resealed": gettext_lazy("secrets sealed with another key"),
    "resent": gettext_lazy("sent again"),
    "signed_in": gettext_lazy("signed in"),
    "signed_out": gettext_lazy("signed out"),
    "sign_in_failed": gettext_lazy("could not sign in"),
    "password_changed": gettext_lazy("password changed"),
    "password_reset": gettext_lazy("password chosen anew by mail"),
    "factor_added": gettext_lazy("second factor set up"),
    "factor_removed": gettext_lazy("second factor removed"),
    "sessions_ended": gettext_lazy("signed out elsewhere"),
}
COLOURS: dict[str, str | None] = {
    **dict.fromkeys(VERBS),  # a verb that is not named here would be shown as it is stored
    "created": "success",
    "updated": "info",
    "deleted": "danger",
    "cancelled": "danger",
    "failed": "danger",
    "fenced": "danger",
    "frozen": "danger",
    "paused": "warning",
    "stopped": "warning",
    "unconfirmed": "warning",
    "pruned": "warning",
    "archive_removed": "warning",
    "sign_in_failed": "warning",
    "factor_removed": "warning",
}
# What entries name beside the fields of their object.
NAMES = {
    "address": gettext_lazy("address"),
    "another_time": gettext_lazy("at another time"),
    "appointed_at": gettext_lazy("appointed"),
    "attempts": gettext_lazy("attempts"),
    "audience": gettext_lazy("audience"),
    "billed": gettext_lazy("billed"),
    "bytes": gettext_lazy("size in bytes"),
    "continues": gettext_lazy("goes on from"),
    "created": gettext_lazy("added"),
    "by_itself": gettext_lazy("by itself"),
    "deliveries": gettext_lazy("deliveries"),
    "deputy_of": gettext_lazy("deputy of"),
    "detail": gettext_lazy("detail"),
    "digest": gettext_lazy("fingerprint of what is sent"),
    "due": gettext_lazy("what was due"),
    "entries": gettext_lazy("entries"),
    "error": gettext_lazy("error"),
    "failed": gettext_lazy("failed"),
    "event": gettext_lazy("event"),
    "fields": gettext_lazy("changed"),
    "fenced_at": gettext_lazy("stopped"),
    "file": gettext_lazy("file"),
    "first_day": gettext_lazy("first day"),
    "first_name": gettext_lazy("name"),
    "freeze": gettext_lazy("number of the freeze"),
    "from": gettext_lazy("from"),
    "host": gettext_lazy("host"),
    "goes_on": gettext_lazy("goes on in"),
    "images": gettext_lazy("images"),
    "is_active": gettext_lazy("active"),
    "last_day": gettext_lazy("last day"),
    "left_out": gettext_lazy("left out"),
    "lifetime": gettext_lazy("days valid"),
    "left": gettext_lazy("left in the log"),
    "message": gettext_lazy("message"),
    "month": gettext_lazy("month"),
    "note": gettext_lazy("note"),
    "number": gettext_lazy("number of the last seal"),
    "of": gettext_lazy("asked of"),
    "opened": gettext_lazy("opened"),
    "parent": gettext_lazy("under"),
    "put_on": gettext_lazy("people put on the list"),
    "reason": gettext_lazy("reason"),
    "recipients": gettext_lazy("recipients"),
    "rooms": gettext_lazy("rooms"),
    "rows": gettext_lazy("rows"),
    "run": gettext_lazy("number of the run"),
    "runs": gettext_lazy("runs"),
    "secrets": gettext_lazy("secrets"),
    "seen_as": gettext_lazy("seen as"),
    "sent": gettext_lazy("sent"),
    "sessions": gettext_lazy("sessions"),
    "skipped": gettext_lazy("skipped"),
    "state": gettext_lazy("state"),
    "stays": gettext_lazy("stays sent"),
    "take_off": gettext_lazy("people taken off the list"),
    "taken_back": gettext_lazy("taken back"),
    "through": gettext_lazy("by"),
    "token": gettext_lazy("API token"),
    "timing": gettext_lazy("timing"),
    "unconfirmed": gettext_lazy("not confirmed"),
    "unit": gettext_lazy("unit"),
    "until": gettext_lazy("until"),
    "updated": gettext_lazy("changed"),
    "username": gettext_lazy("user name"),
    "viewer": gettext_lazy("seen by"),
    "email": gettext_lazy("e-mail"),
    "why": gettext_lazy("why"),
}
# What they say of these is a word that is done to something else, too.
SAID_AS_VERBS = ("due",)
# Under these names schedules keep what their columns call otherwise.
COLUMNS = {"timing": "timing_kind"}
EMPTY: tuple[Any, ...] = (None, "", [])
LONGEST_VALUE = 200  # characters of a value that a list shows
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)")

DIGEST = re.compile(r"[0-9a-f]{64}")


class Change(NamedTuple):
    """One line of an entry: `before` is None where only a fact is told."""

    name: str
    before: str | None
    after: str


def kinds() -> dict[str, Any]:
    """What each kind of object is called."""
    return {
        model._meta.model_name or "": capfirst(str(model._meta.verbose_name))
        for model in apps.get_models()
        if hasattr(model, "reach")
    }


def changes_in(entry: History, zone: str) -> Iterator[Change]:
    """What it says, line by line; times in this zone, which they name."""
    model = _model_of(entry.kind)
    for name, value in entry.changes.items():
        field = _field(model, COLUMNS.get(name, name))
        label = str(NAMES.get(name) or getattr(field, "verbose_name", name))
        is_pair = isinstance(value, list) and len(value) == 2 and name != "fields"
        if is_pair and entry.verb != "created":
            yield Change(label, *(_words(part, field, zone) for part in value))
        else:
            fact = value[1] if is_pair and value[0] is None else value
            if name in SAID_AS_VERBS:
                fact = str(VERBS.get(fact, fact))
            if fact not in EMPTY:
                yield Change(label, None, _words(fact, field, zone))


def cut(words: str) -> str:
    """As much as a list shows."""
    return words if len(words) <= LONGEST_VALUE else f"{words[:LONGEST_VALUE]}…"


def wide(name: str) -> SafeString:
    """A name of any length, cut after two lines; the whole of it on hover."""
    return format_html('<span class="teiji-wide" title="{}">{}</span>', name, name)


def _words(value: Any, field: Any, zone: str) -> str:
    if value in EMPTY:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_words(item, field, zone) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(part, None, zone)}" for key, part in value.items())
    if field is not None and (choices := dict(getattr(field, "flatchoices", ()))):
        return str(choices.get(value, value))
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return exact(datetime.fromisoformat(value), zone)
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return f"{value[:12]}…"  # to tell one from another; files have the whole of it
    return str(value)


def _model_of(kind: str) -> Any:
    return next((model for model in apps.get_models() if model._meta.model_name == kind), None)


def _field(model: Any, name: str) -> Any:
    try:
        return model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None
