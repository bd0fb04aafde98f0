"""Days and times in a workbook: numbers, of which only the style of their cell tells it."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

# The formats that every Excel knows by number; 27 to 36 and 50 to 58 are those of East Asia.
BUILT_IN = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
# What a format shows as it stands: texts, escaped characters, colours and conditions.
NOT_PARTS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h|m|s)[^\]]*\]', re.IGNORECASE)
PARTS = re.compile(r"[ymdhs]", re.IGNORECASE)

ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a day of the calendar, in no zone
ZERO_OF_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - of workbooks from old Macs
FIRST, LAST = 61, 2_958_465  # from March 1900, before which Excel counts a day that never was


class Styles:
    """Which styles of a workbook make a date of a number. Fed with its XML as it is parsed."""

    def __init__(self) -> None:
        self.are_dates: list[bool] = []
        self._codes: dict[str, str] = {}
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self.are_dates.append(self._is_date(attributes.get("numFmtId", "")))

    def end(self, name: str) -> None:
        self._inside = self._inside and name != "cellXfs"

    def data(self, _text: str) -> None:
        """There is no text in it."""

    def _is_date(self, number: str) -> bool:
        if number in self._codes:
            return bool(PARTS.search(NOT_PARTS.sub("", self._codes[number])))
        return number.isdecimal() and int(number) in BUILT_IN


def is_date(style: str, are_dates: Sequence[bool]) -> bool:
    """Whether the style of this number, as a cell names it, shows a date."""
    return style.isdecimal() and int(style) < len(are_dates) and are_dates[int(style)]


def in_words(value: str, *, since_1904: bool = False) -> str:
    """“46351” as “2026-11-25”, with its time where it has one; what is no day stays as it is."""
    try:
        days = float(value)
    except ValueError:
        return value
    zero = ZERO_OF_1904 if since_1904 else ZERO
    if 0 <= days < 1:
        return f"{zero + timedelta(seconds=round(days * 86_400)):%H:%M:%S}"
    if not FIRST <= days <= LAST:
        return value
    moment = zero + timedelta(seconds=round(days * 86_400))
    return moment.date().isoformat() if days.is_integer() else moment.isoformat(" ")
