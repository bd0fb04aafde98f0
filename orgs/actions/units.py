"""What people do with units: plant one, and change one. None is deleted, for the log refers to
its path: it is made inactive."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.actions.facts import check, differences, facts_of
from orgs.clock import database_now
from orgs.grants import has_active_manager
from orgs.models import Unit
from orgs.reach import STEP, Act, can, can_in, member_of
from orgs.refusal import OutOfReach, Refused
from orgs.tree import hold_tree

COLUMNS = (
    "code", "name", "zone", "language", "quiet_from", "quiet_until", "never_quiet", "approval",
    "monthly_budget", "is_active",
)  # fmt: skip
PLACE = ("path", "depth", "numchild")  # treebeard's own
RANK = {kind: rank for rank, kind in enumerate(Unit.Kind)}


@transaction.atomic
def plant(values: Mapping[str, Any], *, by: Any, parent: Unit | None) -> Unit:
    """A new unit under `parent`; only who may do everything plants a top (None)."""
    if not (can_in(by, Act.ORGANISE, Unit, parent) if parent else by.is_superuser):
        raise OutOfReach(_("You cannot add units there."))
    # Of two that are planted at once under one parent the second must see the first's path.
    hold_tree()
    if problem := problem_of_kind(values["kind"], parent):
        raise Refused(problem, {"kind": [problem]})
    unit = Unit(kind=values["kind"])
    _fill(unit, values)
    try:
        with transaction.atomic():
            unit = Unit.objects.plant(parent, **_own(unit))
    except IntegrityError as error:
        check(unit, but=PLACE)  # the same code was taken meanwhile: now it says so
        raise Refused(_("Somebody else adds a unit just now. Try again.")) from error
    _record("created", unit, by, {})
    return unit


@transaction.atomic
def change_unit(unit: Unit, values: Mapping[str, Any], *, by: Any) -> Unit:
    """Give a unit these values; its kind and its place stay."""
    row = Unit.objects.select_for_update().filter(pk=unit.pk).first()
    if row is None or not can(by, Act.ORGANISE, row):
        raise OutOfReach(_("There is no such unit."))
    if row.is_active and values.get("is_active") is False and (why := problem_of_stop(row, by)):
        raise Refused(why, {"is_active": [why]})
    before = facts_of(row, COLUMNS)
    _fill(row, values)
    try:
        with transaction.atomic():
            row.save(update_fields=COLUMNS)
    except IntegrityError:
        check(row, but=PLACE)
        raise
    _record("updated", row, by, before)
    return row


def problem_of_kind(kind: str, parent: Unit | None) -> str:
    """Why no unit of this kind can stand there; "" if it can. Levels may be skipped."""
    if parent is None:
        is_top = kind == Unit.Kind.HEADQUARTERS
        return "" if is_top else _("Only a headquarters stands at the top.")
    lower = [one for one in Unit.Kind if RANK[one] > RANK[Unit.Kind(parent.kind)]]
    if kind in lower:
        return ""
    words = _("Under this unit there can only be units of a lower kind (%(kinds)s).")
    return words % {"kinds": ", ".join(str(one.label) for one in lower)}


def problem_of_stop(unit: Unit, by: Any) -> str:
    """Why this unit cannot be made inactive; "" if it can."""
    member = member_of(by)
    if member and unit.covers(member.unit):
        return _("You belong to this unit: nobody in it could sign in to undo this.")
    if len(unit.path) == STEP and has_active_manager(unit):
        return _("The managers of a top unit could not sign in any more. Freeze it instead.")
    return ""


def _fill(unit: Unit, values: Mapping[str, Any]) -> None:
    for name in COLUMNS:
        if name in values:
            setattr(unit, name, values[name])
    check(unit, but=PLACE)


def _own(unit: Unit) -> dict[str, Any]:
    return {name: getattr(unit, name) for name in ("kind", *COLUMNS)}


def _record(verb: str, unit: Unit, by: Any, before: dict[str, Any]) -> None:
    changes = differences(before, facts_of(unit, COLUMNS))
    if verb == "created":
        changes["kind"] = [None, str(unit.kind)]
    if changes:
        now = database_now()
        history.record(verb, unit, by=by, now=now, unit_path=unit.path, changes=changes)
