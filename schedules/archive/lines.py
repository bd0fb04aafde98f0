"""Rows as lines of JSON, and back: what is kept is every column, by its name."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from logs.models import Attempt
from schedules.models import Delivery, Run

M = TypeVar("M", bound=models.Model)

# The first field of a line: what it holds.
SORTS: dict[str, type[models.Model]] = {"run": Run, "delivery": Delivery, "attempt": Attempt}


def columns_of(model: type[models.Model]) -> list[str]:
    """The columns of these rows."""
    return [field.attname for field in model._meta.concrete_fields]


def write(sort: str, rows: Iterable[models.Model]) -> Iterator[bytes]:
    """Each row as a line."""
    names = columns_of(SORTS[sort])
    for row in rows:
        facts = {"is": sort, **{name: getattr(row, name) for name in names}}
        text = json.dumps(facts, cls=Exactly, ensure_ascii=False, separators=(",", ":"))
        yield text.encode()


def read(line: bytes) -> models.Model:
    """The row that a line holds, unsaved. What a later version no longer knows is left out."""
    facts = json.loads(line)
    model = SORTS[facts.pop("is")]
    known = {field.attname: field for field in model._meta.concrete_fields}
    values = {name: known[name].to_python(value) for name, value in facts.items() if name in known}
    return model(**values)


class Exactly(DjangoJSONEncoder):
    """Django's keeps milliseconds of a time; the log has microseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)
