"""Moves a unit in the tree, with all below it and all that is written of them."""

from collections.abc import Iterable
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind
from channels.models import Fact, WebhookDelivery
from logs import history
from logs.chain.seal import begin
from orgs.actions.deputies import end
from orgs.actions.units import problem_of_kind
from orgs.clock import database_now
from orgs.models import Move, Unit
from orgs.reach import STEP, Act, can, can_in, covers, under
from orgs.tree import hold_tree
from schedules.actions.refusal import OutOfReach, Refused
from schedules.models import Approval, Schedule
from schedules.moving import figures
from schedules.moving.copies import carry, carry_ended
from schedules.moving.losses import Outlook, Ways, deputies_beyond, outlook

DEADLOCK = "40P01"


def move_unit(unit: Unit, *, to: Unit, by: Any) -> Unit:
    """Let the unit stand under `to` from now on. Who reaches it is another question from the
    moment in which this commits, on every connection."""
    try:
        with transaction.atomic():
            return _move(unit, to, by)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != DEADLOCK:
            raise
        words = _("Somebody works on a message of this unit just now. Try again.")
        raise Refused(words) from error


def foresee_move(unit: Unit, *, to: Unit, by: Any) -> Outlook:
    """What would come of it, if anything could."""
    row, parent = _found(unit, to, by)
    problem = problem_of_place(row, parent)
    return Outlook([problem]) if problem else outlook(row, parent)


def problem_of_place(unit: Unit, to: Unit) -> str:
    """Why the unit cannot stand there; "" if it can."""
    if unit.depth == 1:
        return _("A headquarters stays at the top.")
    if covers(unit.path, to.path):
        return _("A unit cannot stand under itself.")
    if not covers(unit.path[:STEP], to.path):
        return _("A unit stays in its organisation.")
    if unit.path[:-STEP] == to.path:
        return _("It stands there already.")
    return problem_of_kind(unit.kind, to)


def _move(unit: Unit, to: Unit, by: Any) -> Unit:
    hold_tree()
    row, parent = _found(unit, to, by)
    if problem := problem_of_place(row, parent):
        raise Refused(problem, {"parent": [problem]})
    _refuse_losses(row, parent)
    ways, old = Ways(row, parent), Unit(pk=row.pk, path=row.path, zone=row.zone)
    new_path = Unit.objects.free_path(parent)
    begin(database_now())
    figures.carry(old, lost=ways.lost, gained=ways.gained)
    carry_ended(old, new_path)
    _hold_schedules(old)
    _refuse_losses(row, parent)  # what was registered meanwhile
    carry(old, new_path)
    _count_children(ways.before[-1], parent)
    now = database_now()
    Move.objects.create(unit=row, old_path=old.path, new_path=new_path, moved_at=now)
    moved = Unit.objects.get(pk=row.pk)
    _take_leave(moved, ways, by)
    _tell(moved, ways.before[-1], parent, by)
    return moved


def _found(unit: Unit, to: Unit, by: Any) -> tuple[Unit, Unit]:
    """Both as they now stand. A manager of the headquarters reaches what is above them, too."""
    rows = {row.pk: row for row in Unit.objects.filter(pk__in=[unit.pk, to.pk])}
    row, parent = rows.get(unit.pk), rows.get(to.pk)
    if row is None or not can(by, Act.ORGANISE, row):
        raise OutOfReach(_("There is no such unit."))
    if parent is None or not can_in(by, Act.ORGANISE, Unit, parent):
        raise OutOfReach(_("You cannot move units there."))
    return row, parent


def _refuse_losses(unit: Unit, to: Unit) -> None:
    if barred := outlook(unit, to).barred:
        raise Refused(" ".join(barred), {"__all__": barred})


def _hold_schedules(unit: Unit) -> None:
    """From here on nobody plans or edits them. At the end, for the planner is not far ahead."""
    rows = under(unit, Schedule.objects.order_by("pk"))
    list(rows.select_for_update(of=("self",)).values_list("pk"))


def _count_children(old: Unit, new: Unit) -> None:
    Unit.objects.filter(pk=old.pk).update(numchild=F("numchild") - 1)
    Unit.objects.filter(pk=new.pk).update(numchild=F("numchild") + 1)


def _take_leave(unit: Unit, ways: Ways, by: Any) -> None:
    """Nobody above its old place stands in here, has an answered question of it, or is told of it,
    any more."""
    for deputy in deputies_beyond(unit, ways.lost).select_related("member__user", "unit"):
        end(deputy, by=by)
    answered = Approval.objects.filter(unit__in=ways.lost).exclude(verdict="")
    answered.filter(schedule__in=under(unit, Schedule.objects.all())).update(unit=unit)
    told = WebhookDelivery.objects.filter(webhook__unit__in=ways.lost)
    told.filter(fact__in=under(unit, Fact.objects.all())).delete()


def _tell(unit: Unit, old: Unit, new: Unit, by: Any) -> None:
    """In the history of the unit and of the one that it leaves; and to those of all three."""
    now = database_now()
    pair = {"parent": [old.name, new.name]}
    history.record("moved", unit, by=by, now=now, unit_path=unit.path, changes=pair)
    gone = {"unit": [unit.name, None]}
    history.record("updated", old, by=by, now=now, unit_path=old.path, changes=gone)
    for one in _once((unit, old, new)):
        alerts.raise_(
            AlertKind.MOVED,
            f"moved:{unit.pk}",
            one.path,
            key=f"{AlertKind.MOVED}:{unit.pk}:{unit.path}:{one.pk}",
            name=unit.name,
            text=lambda: (
                _("%(unit)s: from %(old)s to %(new)s")
                % {"unit": unit.name, "old": old.name, "new": new.name}
            ),
            now=now,
        )


def _once(units: Iterable[Unit]) -> list[Unit]:
    return list({unit.pk: unit for unit in units}.values())
