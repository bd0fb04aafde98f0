"""What people do with the notices of their own results: choose how they are told."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from channels.adapters.apprise import AppriseConfig
from channels.models import NoticeChoice, OwnNotice
from logs import history
from orgs.clock import database_now
from orgs.reach import member_of
from orgs.refusal import Refused

COLUMNS = ("bell", "outside", "rhythm")

What = NoticeChoice.What


@transaction.atomic
def choose(values: Mapping[str, Any], *, by: Any) -> NoticeChoice:
    """`place`: mail or apprise; `url`: of Apprise, where it is another than before."""
    choice, _is_new = NoticeChoice.objects.select_for_update().get_or_create(user=by)
    before = _facts(choice)
    for name in COLUMNS:
        setattr(choice, name, values[name])
    _set_place(choice, values["place"], values.get("url", ""), by)
    choice.quiet_until, choice.tries, choice.trouble = None, 0, ""
    choice.save()
    if choice.outside == What.NOTHING:
        OwnNotice.objects.filter(user=by).exclude(tell_at=None).update(tell_at=None)
    after = _facts(choice)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    member = member_of(by)
    if changes:
        path = member.unit.path if member else ""
        history.record(
            "updated", choice, by=by, now=database_now(), unit_path=path, changes=changes
        )
    return choice


def mark_one_read(notice: OwnNotice, *, by: Any) -> OwnNotice:
    """One of one's own, and of which one has reached the run. Once it was, it stays so."""
    unread = OwnNotice.objects.filter(pk=notice.pk, user=by, read_at=None)
    unread.update(read_at=database_now())
    notice.refresh_from_db()
    return notice


def mark_read(by: Any, *, until: int) -> int:
    """All of one's own that were there when the page was shown. Returns how many were new."""
    unread = OwnNotice.objects.filter(user=by, read_at=None, pk__lte=until)
    return unread.update(read_at=database_now())


def _set_place(choice: NoticeChoice, place: str, url: str, by: Any) -> None:
    if place == "apprise":
        if url:
            for problem in AppriseConfig(url=url).problems().values():
                raise Refused(str(problem), {"url": [str(problem)]})
            choice.url = url
        elif not choice.sealed:
            words = _("Give the URL of a place.")
            raise Refused(words, {"url": [words]})
        return
    choice.url = ""
    if choice.outside != What.NOTHING and not by.email:
        words = _("You have no mail address: a manager of your unit can enter one.")
        raise Refused(words, {"place": [words]})


def _facts(choice: NoticeChoice) -> dict[str, Any]:
    return {name: getattr(choice, name) for name in (*COLUMNS, "service")}
