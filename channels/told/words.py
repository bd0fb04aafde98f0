"""Words: notices as the title and the lines of a message."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import ngettext

from channels.models import OwnNotice
from orgs.moments import written


def title_of(notices: Sequence[OwnNotice]) -> str:
    """What one is, else how many there are, in the active language."""
    count = len(notices)
    if count == 1:
        return f"{notices[0].title} · {notices[0].result}"
    waiting = sum(notice.approval_id is not None for notice in notices)
    if waiting == count:
        words = ngettext("%(n)d approval waits for you", "%(n)d approvals wait for you", count)
    elif waiting:
        words = ngettext("%(n)d notice", "%(n)d notices", count)
    else:
        words = ngettext("%(n)d result of your schedules", "%(n)d results of your schedules", count)
    return words % {"n": count}


def line_of(notice: OwnNotice, zone: str) -> str:
    """“Morning notice · 2026-11-27 (Fri) 09:00:00 Asia/Taipei: failed”, in the active language; of
    a question with the page on which it is answered."""
    result = f"{notice.result}: “{notice.note}”" if notice.note else notice.result
    when = f" · {written(notice.due_at, zone)}" if notice.due_at else ""
    line = f"{notice.title}{when}: {result}"
    if notice.approval_id is None:
        return line
    return f"{line}\n{settings.TEIJI_PUBLIC_URL}/admin/schedules/approval/{notice.approval_id}/"
