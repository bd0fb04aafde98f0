"""People as lines of a CSV file that Excel opens as it is, and that can be imported again."""

import csv
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from channels.models import Recipient
from channels.people.columns import FIELDS
from channels.people.formulas import neutral

READ_AT_ONCE = 2_000
BOM = "\ufeff"


class _Line:
    """A file whose last line is what `write` was given."""

    def write(self, line: str) -> str:
        return line


def csv_lines(people: QuerySet[Recipient]) -> Iterator[str]:
    """The lines, the heading first; nothing in them is carried out by a spreadsheet."""
    writer: Any = csv.writer(_Line())
    yield BOM + writer.writerow([*FIELDS])
    for person in people.prefetch_related("tags").order_by("id").iterator(READ_AT_ONCE):
        tags = ", ".join(tag.name for tag in person.tags.all())
        cells = [person.address, person.name, person.region, person.language, tags]
        yield writer.writerow([neutral(cell) for cell in cells])
