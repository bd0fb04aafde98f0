"""What a session keeps of it: as whom, and until when. Beginning and ending stand in the history,
in the name of whoever looks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.grants import may_view_as
from orgs.models import Member
from orgs.refusal import OutOfReach, Refused

KEY = "view_as"
LASTS = timedelta(minutes=30)


@dataclass(frozen=True)
class Look:
    """One that is going on, or has just run out."""

    viewer: Any
    member: Member
    until: datetime

    def is_over(self, now: datetime) -> bool:
        """Also when the viewer may not any more, or the person is another's by now."""
        return now >= self.until or not may_view_as(self.viewer, self.member)


@transaction.atomic
def begin(request: HttpRequest, member: Member, *, opens: str) -> None:
    """From now on this session reads as this person, and `opens` this address first."""
    if KEY in request.session:
        raise Refused(_("Leave the view as somebody else first."))
    if not may_view_as(request.user, member):
        raise OutOfReach(_("There is no such person."))
    now = database_now()
    until = now + LASTS
    request.session[KEY] = {"member": member.pk, "until": until.isoformat()}
    facts = {"until": until.isoformat(timespec="seconds"), "opened": opens[:200]}
    _record("view_as_begun", request.user, member, now, facts)


def look_of(request: HttpRequest) -> Look | None:
    """What is going on in this session. One whose person is gone is none, and forgotten."""
    kept = request.session.get(KEY)
    if kept is None or not request.user.is_authenticated:
        return None
    rows = Member.objects.select_related("user", "unit")
    member = rows.filter(pk=kept["member"]).first()
    if member is None:
        del request.session[KEY]
        return None
    return Look(request.user, member, datetime.fromisoformat(kept["until"]))


@transaction.atomic
def end(request: HttpRequest, look: Look, *, by_itself: bool = False) -> None:
    """The session is its person's own again."""
    request.session.pop(KEY, None)
    facts = {"by_itself": by_itself}
    _record("view_as_ended", look.viewer, look.member, database_now(), facts)


def listen() -> None:
    """Who signs out meanwhile has ended it."""
    user_logged_out.connect(_signed_out)


def _signed_out(request: HttpRequest | None, **_rest: Any) -> None:
    look = getattr(request, "look", None)
    if request is not None and look is not None:
        end(request, look)


def _record(verb: str, viewer: Any, member: Member, now: datetime, facts: dict[str, Any]) -> None:
    named = {"viewer": viewer.get_username(), "seen_as": member.user.get_username()}
    path = member.unit.path
    history.record(verb, member, by=viewer, now=now, unit_path=path, changes=named | facts)
