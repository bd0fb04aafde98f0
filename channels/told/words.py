"""Words: a notice as a line of a message."""

from channels.models import OwnNotice
from orgs.moments import written


def line_of(notice: OwnNotice, zone: str) -> str:
    """“Morning notice · 2026-11-27 (Fri) 09:00:00 Asia/Taipei: failed”, in the active language."""
    if notice.due_at is None:
        return f"{notice.title}: {notice.result}"
    return f"{notice.title} · {written(notice.due_at, zone)}: {notice.result}"
