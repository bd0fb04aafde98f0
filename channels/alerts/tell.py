"""Tell: brings notices to their places. The network is never within a transaction, and never in
a thread on which sending waits."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.utils.translation import gettext as _

from channels.alerts.mailing import mail_url
from channels.alerts.places import Said
from channels.models.alert import Telling
from orgs.models import Unit
from orgs.reach import covers, within

logger = logging.getLogger(__name__)

AT_ONCE = 8
HOLD = timedelta(minutes=2)  # who holds one is gone by then: calls end much sooner
RETRY_AFTER = (30, 120, 600, 3600)  # seconds

State = Telling.State


@dataclass(frozen=True)
class Call:
    """One notice for one place, in this worker's hold. `url` is a secret."""

    telling: int
    to: str
    url: str
    title: str
    body: str
    tries: int


def take(now: datetime, *, only: Collection[str] | None = None) -> list[Call]:
    """Take hold of what is to be told. `only` these kinds, where something speaks against the
    others. Who may be told is asked here, at the last moment."""
    due = Telling.objects.filter(state=State.WAITING, next_try_at__lte=now)
    if only is not None:
        due = due.filter(notice__kind__in=only)
    related = due.select_related("notice", "target__unit", "target__member__user")
    rows = list(related.order_by("next_try_at", "id")[:AT_ONCE])
    languages = Unit.objects.languages({row.target.unit.path for row in rows if row.target})
    calls = []
    for row in rows:
        mine = Telling.objects.filter(pk=row.pk, state=State.WAITING, next_try_at=row.next_try_at)
        if mine.update(next_try_at=now + HOLD, tries=F("tries") + 1):
            url, problem = _place(row)
            if problem:
                _end(row.pk, State.FAILED, problem)
            else:
                title, body = row.notice.said_in(_language(row, languages))
                calls.append(Call(row.pk, row.to, url, title, body, row.tries + 1))
    return calls


def note(call: Call, said: Said, now: datetime) -> None:
    """Write what became of it. What was not taken is tried again, some times; what may have been
    taken is not: the same thing is not told twice."""
    if said.outcome == Said.TAKEN:
        _end(call.telling, State.TOLD, told_at=now)
    elif said.outcome == Said.UNKNOWN:
        _end(call.telling, State.UNSURE, said.why)
    elif said.outcome == Said.REFUSED or call.tries > len(RETRY_AFTER):
        logger.error("alert %s could not be told to %s: %s", call.telling, call.to, said.why)
        _end(call.telling, State.FAILED, said.why)
    else:
        later = now + timedelta(seconds=RETRY_AFTER[call.tries - 1])
        waiting = Telling.objects.filter(pk=call.telling, state=State.WAITING)
        waiting.update(next_try_at=later, why=said.why[:255])


def _end(telling: int, state: str, why: str = "", told_at: datetime | None = None) -> None:
    waiting = Telling.objects.filter(pk=telling, state=State.WAITING)
    waiting.update(state=state, why=why[:255], told_at=told_at)


def _language(row: Telling, of_units: Mapping[str, str]) -> str:
    """In which this place is told: the person's own, else that of its unit; the operators in the
    installation's."""
    if row.target is None:
        return str(settings.LANGUAGE_CODE)
    member = row.target.member
    return (member.user.language if member else "") or of_units[row.target.unit.path]


def _place(row: Telling) -> tuple[str, str]:
    """The URL to call, or why there is none."""
    target = row.target
    if row.operator is not None:
        urls = settings.TEIJI_ALERT_URLS
        is_there = row.operator < len(urls)
        return (urls[row.operator], "") if is_there else ("", _("It is no longer in the setting."))
    if target is None or not target.is_active:
        return "", _("This place is no longer told.")
    if not covers(target.unit.path, row.notice.unit_path):
        return "", _("This place belongs to another unit now.")
    if target.member is not None:
        return _mail(row)
    try:
        return target.url, ""
    except ImproperlyConfigured:
        return "", _("Its URL cannot be opened with TEIJI_SECRET_KEYS.")


def _mail(row: Telling) -> tuple[str, str]:
    assert row.target is not None and row.target.member is not None
    user = row.target.member.user
    url = mail_url(user.email)
    reached = within(user, Unit.objects.filter(path=row.notice.unit_path))
    if not reached.exists():
        return "", _("This person may no longer see it.")
    if not user.email:
        return "", _("This person has no mail address.")
    if url is None:
        return "", _("No mail server is set: TEIJI_ALERT_URLS names none.")
    return url, ""
