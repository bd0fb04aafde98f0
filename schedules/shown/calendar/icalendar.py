"""Entries as an iCalendar (RFC 5545). Times are in UTC, which every program shows on its own clock:
so no definition of a zone can be wrong. Touches no table."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from schedules.shown.calendar.entry import Entry
from schedules.states import RunState, ScheduleState

OCTETS = 75  # of a line at most
NOT_PLAIN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
STATUS: dict[str, str] = {
    ScheduleState.WAITING: "TENTATIVE",
    RunState.SKIPPED: "CANCELLED",
    RunState.CANCELLED: "CANCELLED",
}


def calendar(
    entries: Iterable[Entry],
    *,
    name: str,
    zone: str,
    host: str,
    now: datetime,
    link: str = "",
    note: str = "",
) -> str:
    """`link`: the address of the installation, where details are shown; "" for titles alone."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Teiji//Teiji//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{text(name)}",
        f"X-WR-CALNAME:{text(name)}",
        f"X-WR-TIMEZONE:{zone}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
        *([f"X-WR-CALDESC:{text(note)}"] if note else []),
    ]
    for entry in entries:
        lines += _event(entry, host, now, link)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def text(value: str) -> str:
    """A value of the type TEXT."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    lines = escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return NOT_PLAIN.sub(" ", lines)


def folded(line: str) -> str:
    """In pieces of at most 75 octets, no character cut in two."""
    pieces, piece, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > OCTETS:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += octets
    return "\r\n".join([*pieces, piece])


def _event(entry: Entry, host: str, now: datetime, link: str) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    # Of an occurrence, whether it is planned, was moved, or went.
    yield f"UID:{entry.schedule_id}-{_moment(entry.appointed_at)}@{host}"
    yield f"DTSTAMP:{_moment(now)}"
    yield f"DTSTART:{_moment(entry.due_at)}"
    yield f"SUMMARY:{text(entry.title)}"
    yield f"STATUS:{STATUS.get(entry.state, 'CONFIRMED')}"
    yield "TRANSP:TRANSPARENT"
    if link:
        said = [entry.unit, f"{entry.label}: {entry.why}" if entry.why else entry.label]
        yield f"DESCRIPTION:{text(chr(10).join(said))}"
        yield f"CATEGORIES:{text(entry.label)}"
        yield f"URL:{link}{_place(entry)}"
    yield "END:VEVENT"


def _place(entry: Entry) -> str:
    if entry.run_id:
        return f"/admin/schedules/run/{entry.run_id}/change/"
    return f"/admin/schedules/schedule/{entry.schedule_id}/change/"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
