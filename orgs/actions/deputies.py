"""Who stands in for a unit's approvers: named for some days, and taken back."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.models import Deputy, Member, Unit
from orgs.reach import Act, Role, can, can_in, covers
from orgs.refusal import OutOfReach, Problems, Refused

LONGEST = timedelta(days=92)


@transaction.atomic
def name_deputy(member: Member, *, of: Unit, first: date, last: date, by: Any) -> Deputy:
    """Let `member` answer what waits for the approvers of `of`, from the first day to the end of
    the last one, on the unit's own clocks."""
    if not can_in(by, Act.ORGANISE, Deputy, of):
        raise OutOfReach(_("You cannot name deputies for this unit."))
    now, person = database_now(), _held(member)
    if found := problems(person, of=of, first=first, last=last, by=by, now=now):
        raise Refused(_("Some fields are not right."), found)
    begins_at, ends_at = _span(first, last, of)
    row = Deputy.objects.create(
        member=person, unit=of, begins_at=begins_at, ends_at=ends_at, named_by=by
    )
    _record("created", row, by, now)
    return row


def problems(
    member: Member, *, of: Unit, first: date, last: date, by: Any, now: datetime
) -> Problems:
    """Why this person cannot stand in for this unit in these days, by field."""
    begins_at, ends_at = _span(first, last, of)
    found = {
        "member": _problem_of_person(member, of, by),
        "last_day": _problem_of_days(begins_at, ends_at, now),
    }
    others = Deputy.objects.filter(member=member, unit=of)
    if not any(found.values()) and others.within(begins_at, ends_at).exists():
        found["member"] = _("This person stands in for this unit in these days already.")
    return {field: [message] for field, message in found.items() if message}


@transaction.atomic
def take_back(deputy: Deputy, *, by: Any) -> None:
    """From now on they answer nothing for it any more."""
    rows = Deputy.objects.select_for_update(of=("self",)).select_related("member__user", "unit")
    row = rows.filter(pk=deputy.pk).first()
    if row is None or not can(by, Act.ORGANISE, row):
        raise OutOfReach(_("There is no such deputy."))
    end(row, by=by)


def end(row: Deputy, *, by: Any) -> None:
    """Part of another act, which has asked whether `by` may."""
    _record("deleted", row, by, database_now())
    row.delete()


def _held(member: Member) -> Member:
    """Locked: nobody is named twice for the same days at once."""
    rows = Member.objects.select_for_update(of=("self",)).select_related("unit", "user")
    return rows.get(pk=member.pk)


def _problem_of_person(member: Member, unit: Unit, by: Any) -> str:
    if member.user_id == by.pk:
        return _("Nobody names themselves.")
    if not (member.user.is_active and covers(member.unit.path, unit.path)):
        return _("A deputy is somebody of this unit, or of one above it.")
    return _("This person answers there anyway.") if member.role >= Role.APPROVER else ""


def _problem_of_days(begins_at: datetime, ends_at: datetime, now: datetime) -> str:
    if ends_at <= begins_at:
        return _("The last day comes before the first one.")
    if ends_at <= now:
        return _("These days are over.")
    is_too_long = ends_at - begins_at > LONGEST + timedelta(hours=1)  # clocks may be set back
    return _("At most %(days)d days.") % {"days": LONGEST.days} if is_too_long else ""


def _span(first: date, last: date, unit: Unit) -> tuple[datetime, datetime]:
    """From the first moment of the first day to that after the last day."""
    zone = ZoneInfo(unit.zone)
    after = last + timedelta(days=1)
    return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)


def _record(verb: str, row: Deputy, by: Any, now: datetime) -> None:
    said = {
        "username": row.member.user.get_username(),
        "unit": row.unit.name,
        "first_day": row.first_day.isoformat(),
        "last_day": row.last_day.isoformat(),
    }
    is_new = verb == "created"
    pairs = {name: [None, now_so] if is_new else [now_so, None] for name, now_so in said.items()}
    history.record(verb, row, by=by, now=now, unit_path=row.unit.path, changes=pairs)
