"""Words: a notice as a line of a message."""

from zoneinfo import ZoneInfo

from channels.models import OwnNotice


def line_of(notice: OwnNotice, zone: str) -> str:
    """“Morning notice · 2026-11-27 09:00 Asia/Taipei: failed”, in the language in force."""
    if notice.due_at is None:
        return f"{notice.title}: {notice.result}"
    local = notice.due_at.astimezone(ZoneInfo(zone))
    return f"{notice.title} · {local:%Y-%m-%d %H:%M} {zone}: {notice.result}"
