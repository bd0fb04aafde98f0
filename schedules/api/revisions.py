"""From which revision a change starts, where the caller says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from config.scoped.problems import Conflict
from schedules.models import Schedule

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER,
    description="The ETag of the schedule from which the change starts.",
)  # fmt: skip


def revisions_said(request: Request, values: dict[str, Any]) -> set[int]:
    """In the body, the header, or both."""
    found = {values["revision"]} if "revision" in values else set()
    tag = request.headers.get("If-Match", "*").strip()
    if tag == "*":
        return found
    number = tag.removeprefix("W/").strip('"')  # what compresses on the way makes tags weak
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise Conflict(_("If-Match takes the ETag of this schedule."))
    return found | {int(number)}


def revision_said(request: Request, values: dict[str, Any]) -> int | None:
    """The one of them; two that differ fit no schedule."""
    found = revisions_said(request, values)
    if len(found) > 1:
        raise _changed()
    return next(iter(found), None)


@contextmanager
def as_read(request: Request, schedule: Schedule) -> Iterator[None]:
    """Held for an act, as it was when the caller read it, where If-Match says so. Raises
    Conflict."""
    seen = revision_said(request, {})
    if seen is None:
        yield
        return
    with transaction.atomic():
        held = Schedule.objects.select_for_update(of=("self",)).filter(pk=schedule.pk)
        if seen != held.values_list("revision", flat=True).first():
            raise _changed()
        yield


def _changed() -> Conflict:
    return Conflict(_("The schedule has changed meanwhile. Read it again."))
