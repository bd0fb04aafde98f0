"""Checks every row of a file: what it says of whom, and what is wrong with it."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.models import Account, Recipient
from channels.models.recipient import NAME_LENGTH, words_in
from channels.people.columns import FIELDS
from channels.people.opting_out import opted_out_at
from channels.people.table import Row
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import under
from orgs.sheets import is_formula, plain

VALUE_SHOWN = 40  # characters of a value that is wrong
KEPT = 200  # problems that are shown; the others are counted
LOOKED_UP_AT_ONCE = 1_000
TOLD_EVERY = 1_000  # rows
MOST_TAGS = 20  # of one person in one file
LENGTHS = dict.fromkeys(FIELDS, NAME_LENGTH) | {"address": 200, "name": 100}

# Also said of a person of others: nobody learns from it who is there.
NOT_YOURS = gettext_lazy(
    "This address cannot be added with this account. If the person is yours, ask your headquarters."
)

_BEYOND = gettext_lazy(
    "The heading has no such column. Is there a comma in a text that is not in quotation marks?"
)
_FORMULA = gettext_lazy("It begins as a formula does. Only plain texts are taken.")


@dataclass(slots=True)
class Entry:
    """What one row says of a person. `known`: the id of the recipient who has the address."""

    line: int
    address: str
    name: str = ""
    region: str = ""
    language: str = ""
    tags: list[str] = field(default_factory=list)
    opted_out_at: datetime | None = None
    known: int | None = None


@dataclass
class Checked:
    """All rows that can be taken in, and what is wrong with the others."""

    address_title: str = ""  # what the file calls that column
    entries: list[Entry] = field(default_factory=list)
    problems: list[tuple[int, str, str]] = field(default_factory=list)  # line, column, what
    problem_count: int = 0

    def refuse(self, line: int, column: str, what: Any) -> None:
        """Note what is wrong in this line."""
        self.problem_count += 1
        if len(self.problems) < KEPT:
            self.problems.append((line, column, str(what)))

    @property
    def updated(self) -> int:
        return sum(entry.known is not None for entry in self.entries)


def read(
    rows: Iterable[Row], mapping: Mapping[str, int], *, account: Account, may_shift: bool = True
) -> Generator[int, None, Checked]:
    """Read all rows but the first, which is the heading; yields how many were read so far.
    `may_shift`: a row may have cells beyond the heading by mistake, as in a text with commas."""
    rows = iter(rows)
    _line, heading = next(rows, (0, []))
    reader = _Reader(heading, mapping, account, may_shift=may_shift)
    for count, (line, cells) in enumerate(rows, 1):
        reader.read(line, cells)
        if count % TOLD_EVERY == 0:
            yield count
    return reader.checked


def recognise(checked: Checked, *, account: Account, unit: Unit) -> None:
    """Find those whom we know; drop those who are not of this unit or one under it."""
    own = set(under(unit, Unit.objects.all()).values_list("id", flat=True))
    kept = []
    for some in _chunks(checked.entries):
        known = _known_people(account, [entry.address for entry in some])
        for entry in some:
            entry.known, unit_id = known.get(entry.address, (None, None))
            if unit_id is None or unit_id in own:
                kept.append(entry)
            else:
                checked.refuse(entry.line, checked.address_title, NOT_YOURS)
    checked.entries = kept
    checked.problems.sort()


class _Reader:
    """Reads rows one by one and remembers the addresses that it has seen."""

    def __init__(
        self, heading: list[str], mapping: Mapping[str, int], account: Account, *, may_shift: bool
    ) -> None:
        self._heading, self._mapping, self._may_shift = heading, mapping, may_shift
        self.checked = Checked(self.title_of("address"))
        self._adapter = account.adapter_class(config=None)
        self._lines: dict[str, int] = {}
        self._languages = _language_codes()
        self._now = database_now()

    def title_of(self, name: str) -> str:
        """What the file calls the column of this field."""
        place = self._mapping[name]
        title = self._heading[place].strip() if place < len(self._heading) else ""
        return title or str(FIELDS[name])

    def read(self, line: int, cells: list[str]) -> None:
        """Keep the row as an entry if nothing is wrong with it."""
        values = {name: _cell(cells, place) for name, place in self._mapping.items()}
        problems = [(n, p) for n, raw in values.items() if (p := self._problem(n, raw, line))]
        for name, problem in problems:
            self.checked.refuse(line, self.title_of(name), _of_value(values[name], problem))
        if beyond := self._beyond_heading(cells):
            self.checked.refuse(line, str(len(self._heading) + 1), _of_value(beyond, _BEYOND))
        elif not problems:
            self.checked.entries.append(self._entry(line, values))

    def _beyond_heading(self, cells: list[str]) -> str:
        """What stands where the heading has no column: a comma too many moves the row aside."""
        rest = cells[len(self._heading) :] if self._may_shift else []
        return next((cell.strip() for cell in rest if cell.strip()), "")

    def _entry(self, line: int, values: dict[str, str]) -> Entry:
        texts = dict.fromkeys(FIELDS, "") | {name: plain(raw) for name, raw in values.items()}
        return Entry(
            line=line,
            address=texts["address"],
            name=texts["name"],
            region=texts["region"],
            language=self._languages.get(_folded(texts["language"]), ""),
            tags=words_in(texts["tags"]),
            opted_out_at=opted_out_at(texts["opted_out"], self._now),
        )

    def _problem(self, name: str, raw: str, line: int) -> Any | None:
        """What is wrong with this cell."""
        cell = plain(raw)
        if "\x00" in cell:
            return _("There is a character in it that cannot be stored.")
        if name == "address":
            return _FORMULA if raw.startswith("=") else self._address_problem(cell, line)
        if is_formula(raw):
            return _FORMULA
        if name == "language" and cell and _folded(cell) not in self._languages:
            known = ", ".join(str(name) for _code, name in settings.LANGUAGES)
            return _("No such language. Known are: %(known)s.") % {"known": known}
        if name == "tags":
            return _tags_problem(words_in(cell))
        if name == "opted_out":
            return self._opt_out_problem(cell)
        return _length_problem(cell, LENGTHS[name])

    def _address_problem(self, address: str, line: int) -> Any | None:
        if not address:
            return _("This is missing.")
        if problem := self._adapter.recipient_problem(address):
            return problem
        first = self._lines.setdefault(address, line)
        if first != line:
            return _("Line %(line)d has the same address.") % {"line": first}
        return _length_problem(address, LENGTHS["address"])

    def _opt_out_problem(self, cell: str) -> Any | None:
        try:
            opted_out_at(cell, self._now)
        except ValueError:
            return _("Write yes, no, or since when: 2026-11-25, or 2026-11-25 09:00 in UTC.")
        return None


def _known_people(account: Account, addresses: list[str]) -> dict[str, tuple[int, int]]:
    people = Recipient.objects.filter(account=account, address__in=addresses)
    return {address: (pk, unit_id) for address, pk, unit_id in people.values_list(
        "address", "id", "unit_id"
    )}  # fmt: skip


def _chunks(entries: list[Entry]) -> Iterator[list[Entry]]:
    rest = iter(entries)
    while some := list(islice(rest, LOOKED_UP_AT_ONCE)):
        yield some


def _cell(cells: list[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _of_value(raw: str, problem: Any) -> str:
    """What is wrong, after the value that is."""
    value = " ".join("".join(c if c.isprintable() else " " for c in raw).split())
    shown = value if len(value) <= VALUE_SHOWN else f"{value[:VALUE_SHOWN]}…"
    return _("“%(value)s”: %(what)s") % {"value": shown, "what": problem} if shown else str(problem)


def _length_problem(text: str, most: int) -> Any | None:
    return _("At most %(most)d characters.") % {"most": most} if len(text) > most else None


def _tags_problem(names: list[str]) -> Any | None:
    if len(names) > MOST_TAGS:
        return _("At most %(most)d tags.") % {"most": MOST_TAGS}
    return next((p for name in names if (p := _length_problem(name, LENGTHS["tags"]))), None)


def _language_codes() -> dict[str, str]:
    """Codes and the languages' own names, as people may write them."""
    pairs = list(settings.LANGUAGES)
    return {_folded(text): code for code, name in pairs for text in (code, str(name))}


def _folded(text: str) -> str:
    return text.strip().lower().replace("_", "-")
