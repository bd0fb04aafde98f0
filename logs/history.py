"""Writes the history. Called inside the transaction of the act that it records."""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from logs.models import History
from orgs.models import Unit


@dataclass(frozen=True)
class Origin:
    """Through which surface, and from which address, the present act comes."""

    via: str = "machine"
    address: str = ""
    request: str = ""  # its id: X-Request-ID
    token: str = ""  # the name of the API's, where there is one
    person: Any = None  # who acts, where they see the pages as somebody else


# Set for a request by the middleware: an act need not carry it through every call.
origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - frozen


def present_request() -> str:
    """The id of the request that is being answered; "" outside of any."""
    return origin.get().request


def present_token() -> str:
    """The name of the token with which it is asked; "" for a session, and outside of any."""
    return origin.get().token


def record(
    verb: str,
    row: models.Model,
    *,
    by: Any | None,
    now: datetime,
    unit_path: str,
    changes: dict[str, Any] | None = None,
) -> None:
    """Note that `by` (None: the machine) did `verb` to `row`.

    `changes` maps a field's name to [before, after], or holds facts about the act. Secrets
    must not be among them.
    """
    entry = _entry(verb, row, now=now, unit_path=unit_path, changes=changes)
    if by:
        source = origin.get()
        who = source.person or by
        entry.actor_id, entry.actor = who.pk, who.get_username()
        entry.via, entry.address = source.via, source.address
        entry.request = source.request
    entry.save()


def record_for_all(
    verb: str,
    row: models.Model,
    *,
    by: Any | None,
    now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:
    """The same of what belongs to no unit: in the history of each headquarters."""
    for path in Unit.objects.filter(depth=1).values_list("path", flat=True) or [""]:
        record(verb, row, by=by, now=now, unit_path=path, changes=changes)


def record_machine(
    verb: str,
    rows: Iterable[tuple[models.Model, str]],
    *,
    now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:
    """Note that the machine did the same to many rows, each given with its unit's path."""
    History.objects.bulk_create(
        _entry(verb, row, now=now, unit_path=unit_path, changes=changes) for row, unit_path in rows
    )


def _entry(
    verb: str,
    row: models.Model,
    *,
    now: datetime,
    unit_path: str,
    changes: dict[str, Any] | None,
) -> History:
    return History(
        at=now,
        via="machine",
        verb=verb,
        kind=row._meta.model_name or "",
        object_id=str(row.pk),
        object_name=str(row)[:255],
        unit_path=unit_path,
        place=unit_path,
        changes=changes or {},
        # What becomes of a run or a schedule comes of the request that had it made.
        request=present_request() or getattr(row, "request", ""),
    )
