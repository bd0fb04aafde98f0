"""People as lines of a CSV file that Excel opens as it is, and that can be imported again."""

from collections.abc import Iterator

from django.db.models import QuerySet

from channels.models import Recipient
from channels.people.columns import FIELDS
from orgs import sheets

READ_AT_ONCE = 2_000


def csv_lines(people: QuerySet[Recipient]) -> Iterator[str]:
    """The lines, the heading first; nothing in them is carried out by a spreadsheet."""
    rows = people.prefetch_related("tags").order_by("id").iterator(READ_AT_ONCE)
    return sheets.csv_lines(FIELDS, map(_cells, rows))


def _cells(person: Recipient) -> list[str]:
    tags = ", ".join(tag.name for tag in person.tags.all())
    opted_out = person.opted_out_at.isoformat(timespec="seconds") if person.opted_out_at else ""
    return [person.address, person.name, person.region, person.language, tags, opted_out]
