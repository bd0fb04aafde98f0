"""Corrects the public holidays, for everybody: the headquarters' business."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.actions.facts import check, differences, facts_of
from orgs.actions.kept import held, store
from orgs.clock import database_now
from orgs.reach import Act, can_anywhere
from schedules.actions.refusal import OutOfReach
from schedules.models import HolidayException

COLUMNS = ("country", "date", "is_holiday", "note")


@transaction.atomic
def correct(row: HolidayException, given: Mapping[str, Any], *, by: Any) -> HolidayException:
    """Store a new correction, or what is given of one. It holds for what is planned from now on."""
    is_new = row.pk is None
    if is_new and not can_anywhere(by, Act.CREATE, HolidayException):
        raise OutOfReach(_("Only a manager of the headquarters may do this."))
    row = row if is_new else _held(row, by, Act.CHANGE)
    before = {} if is_new else _facts(row)
    for name in COLUMNS:
        if name in given:
            setattr(row, name, given[name])
    check(row)
    store(row)
    _record("created" if is_new else "updated", row, by, differences(before, _facts(row)))
    return row


@transaction.atomic
def take_correction_back(row: HolidayException, *, by: Any) -> None:
    """The calendar holds again."""
    found = _held(row, by, Act.DELETE)
    _record("deleted", found, by, {})
    found.delete()


def _held(row: HolidayException, by: Any, act: Act) -> HolidayException:
    return held(row, by=by, act=act, absent=_("There is no such correction."))


def _facts(row: HolidayException) -> dict[str, Any]:
    return facts_of(row, COLUMNS) | {"date": row.date.isoformat()}


def _record(verb: str, row: HolidayException, by: Any, changes: dict[str, Any]) -> None:
    history.record_for_all(verb, row, by=by, now=database_now(), changes=changes)
