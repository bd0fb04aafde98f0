"""Telling: brings to people what they want to hear of outside of the pages, each thing once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from channels.alerts.mailing import mail_url
from channels.alerts.places import Said
from channels.models import NoticeChoice, OwnNotice
from channels.told.questions import still_answered
from channels.told.words import line_of, title_of
from orgs.models import Unit
from orgs.reach import member_of, within

AT_ONCE = 8
HOLD = timedelta(minutes=2)  # who holds one is gone by then: calls end much sooner
PAUSE = timedelta(minutes=5)  # between two messages to one person: what comes meanwhile is one
RETRY_AFTER = (60, 300, 1800, 7200)  # seconds
LINES = 20


@dataclass(frozen=True)
class Call:
    """One message to one person, in this worker's hold. `url` is a secret."""

    choice: int
    until: datetime
    url: str = field(repr=False)
    title: str
    body: str


def take(now: datetime) -> list[Call]:
    """Take hold of whom something is to be told. What they may see is asked at this moment."""
    due = OwnNotice.objects.filter(user=OuterRef("user"), tell_at__lte=now)
    free = NoticeChoice.objects.filter(Q(quiet_until=None) | Q(quiet_until__lte=now))
    rows = free.filter(Exists(due)).select_related("user").order_by("pk")[:AT_ONCE]
    return [call for row in rows if (call := _take(row, now))]


def note(call: Call, said: Said, now: datetime) -> None:
    """Write what became of it. What may have been taken is not told twice."""
    choice = NoticeChoice.objects.filter(pk=call.choice)
    tries = choice.values_list("tries", flat=True).first() or 0
    if said.outcome == Said.LATER and tries < len(RETRY_AFTER):
        later = now + timedelta(seconds=RETRY_AFTER[tries])
        choice.update(quiet_until=later, tries=tries + 1, trouble=said.why[:255])
        return
    is_good = said.outcome == Said.TAKEN
    _done(call.choice, call.until)
    trouble = "" if is_good else said.why[:255]
    choice.update(quiet_until=now + PAUSE, tries=0, trouble=trouble)


def _take(choice: NoticeChoice, now: datetime) -> Call | None:
    mine = NoticeChoice.objects.filter(pk=choice.pk, quiet_until=choice.quiet_until)
    if not mine.update(quiet_until=now + HOLD):
        return None
    member = member_of(choice.user)
    rows = OwnNotice.objects.filter(user=choice.user, tell_at__lte=now)
    rows = still_answered(choice.user, within(choice.user, rows))
    seen = list(rows.order_by("at", "id"))
    url, trouble = _place(choice)
    if not (member and seen and url):
        _done(choice.pk, now)
        NoticeChoice.objects.filter(pk=choice.pk).update(quiet_until=None, trouble=trouble)
        return None
    path = member.unit.path
    language = choice.user.language or Unit.objects.languages([path])[path]
    with override(language):
        title, body = _written(seen, member.unit.zone)
    return Call(choice.pk, now, url, title, body)


def _done(choice: int, until: datetime) -> None:
    told = OwnNotice.objects.filter(user__notice_choice=choice, tell_at__lte=until)
    told.update(tell_at=None)


def _place(choice: NoticeChoice) -> tuple[str, str]:
    """The URL to call, or why there is none."""
    if choice.sealed:
        try:
            return choice.url, ""
        except ImproperlyConfigured:
            return "", "Its URL cannot be opened with TEIJI_SECRET_KEYS."
    if not choice.user.email:
        return "", "This person has no mail address."
    url = mail_url(choice.user.email)
    return (url, "") if url else ("", "No mail server is set: TEIJI_ALERT_URLS names none.")


def _written(notices: Sequence[OwnNotice], zone: str) -> tuple[str, str]:
    """Title and text, in the language in force."""
    count = len(notices)
    lines = [line_of(notice, zone) for notice in notices[:LINES]]
    if count > LINES:
        more = count - LINES
        said = ngettext("… and %(n)d more", "… and %(n)d more", more)
        lines.append(said % {"n": more})
    place = f"{settings.TEIJI_PUBLIC_URL}/admin/my-notices/"
    choose = _("How you are told: %(address)s") % {"address": f"{place}settings/"}
    title = f"Teiji: {title_of(notices)}"
    return title[:200], "\n".join([*lines, "", place, choose])
