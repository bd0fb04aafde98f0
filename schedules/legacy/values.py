"""Reads single values as older systems wrote them. Raises Unreadable, with the column."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

Values = Mapping[str, str | None]

ID_LENGTH = 40

TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")


class Unreadable(ValueError):  # noqa: N818  (it names what a row holds, not a fault of ours)
    """A value that means nothing here: the column, and why."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(f"{column}: {why}")
        self.column, self.why = column, why


def text(values: Values, column: str) -> str:
    """The text, "" where there is none."""
    found = (values.get(column) or "").replace("\r\n", "\n").replace("\0", "")
    return found.strip()


def needed(values: Values, column: str) -> str:
    """A text that must be there."""
    found = text(values, column)
    if not found:
        raise Unreadable(column, "it is empty")
    return found


def identifier(values: Values) -> str:
    """The row's id."""
    return needed(values, "id") and shorter(values, "id", ID_LENGTH)


def shorter(values: Values, column: str, most: int) -> str:
    """A text of at most so many characters."""
    found = text(values, column)
    if len(found) > most:
        raise Unreadable(column, f"it has {len(found)} characters, at most {most} are taken")
    return found


def one_of(values: Values, column: str, known: Collection[str], default: str = "") -> str:
    """One of these words, in any case of letters."""
    found = text(values, column).lower() or default
    if found not in known:
        raise Unreadable(column, f"“{found}” is none of {', '.join(known)}")
    return found


def number(values: Values, column: str, default: int = 0) -> int:
    """A whole number from 0 on."""
    found = text(values, column)
    if found and not (found.isascii() and found.isdigit()):
        raise Unreadable(column, f"“{found}” is not a whole number")
    return int(found) if found else default


def moment(values: Values, column: str, zone: ZoneInfo) -> datetime | None:
    """A local time of that zone; a zero date means none."""
    found = text(values, column)
    if not found or found.startswith("0000-00-00"):
        return None
    try:
        read = datetime.fromisoformat(found)
    except ValueError as error:
        raise Unreadable(column, f"“{found}” is not a date and time") from error
    if not 1970 <= read.year <= 9000:
        raise Unreadable(column, f"the year {read.year} cannot be meant")
    return read if read.tzinfo else read.replace(tzinfo=zone)


def day(values: Values, column: str) -> date | None:
    """A date; a zero date means none."""
    found = text(values, column)[:10]
    if not found or found.startswith("0000-00-00"):
        return None
    try:
        return date.fromisoformat(found)
    except ValueError as error:
        raise Unreadable(column, f"“{found}” is not a date") from error


def clock_time(values: Values, column: str) -> time:
    """A time of day, to the second; it must be there."""
    found = needed(values, column)
    match = TIME.fullmatch(found)
    hour, minute, second = (int(part or 0) for part in match.groups()) if match else (24, 0, 0)
    try:
        return time(hour, minute, second)
    except ValueError as error:
        raise Unreadable(column, f"“{found}” is not a time of day") from error


def words(values: Values, column: str, known: Mapping[str, int]) -> tuple[int, ...]:
    """A set of words, as MySQL writes it with commas and PostgreSQL an array, as sorted numbers."""
    parts = text(values, column).strip("{}").split(",")
    found = [word.strip().lower() for word in parts if word.strip()]
    for word in found:
        if word not in known:
            raise Unreadable(column, f"“{word}” is none of {', '.join(known)}")
    return tuple(sorted({known[word] for word in found}))


def read_json(values: Values, column: str) -> Any:
    """What the JSON says; None where there is none."""
    found = text(values, column)
    if not found:
        return None
    try:
        return json.loads(found)
    except ValueError as error:
        raise Unreadable(column, f"it is not JSON: {error}") from error
