"""What people do with members: let somebody join, change what they may, remove them."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.actions.facts import check, differences, facts_of
from orgs.clock import database_now
from orgs.grants import grantable_roles, is_above, is_last_manager, lock_tops
from orgs.models import Member, Unit, User
from orgs.reach import Act, can, can_in
from orgs.refusal import OutOfReach, Refused

USER_FIELDS = ("username", "first_name", "email", "is_active")
PLACE = ("unit", "role")


@transaction.atomic
def join(values: Mapping[str, Any], *, by: Any, unit: Unit, password: str = "") -> Member:
    """A new person in `unit`. Without a password they set one by mail before they sign in."""
    _check_grant(by, unit, values["role"])
    user = User(is_staff=True)
    _fill_user(user, values, password)
    if not password:
        user.set_unusable_password()
    member = Member(unit=unit, role=values["role"])
    _store_user(user)
    member.user = user
    member.save()
    _record("created", member, by, {}, password)
    return member


@transaction.atomic
def change_member(
    member: Member, values: Mapping[str, Any], *, by: Any, password: str = ""
) -> Member:
    """Change who somebody is, where they belong and what they may."""
    row = _held(member, by)
    before = _facts(row)
    unit, role = values.get("unit", row.unit), values.get("role", row.role)
    is_active = values.get("is_active", row.user.is_active)
    if (unit, role) != (row.unit, row.role):
        _check_grant(by, unit, role)
    if (unit, role, is_active) != (row.unit, row.role, row.user.is_active):
        _refuse_self(row, by)
    if not (unit == row.unit and role >= row.role and is_active) and is_last_manager(row):
        raise Refused(_("This is the last manager of a top unit. Name another manager first."))
    _fill_user(row.user, values, password)
    _store_user(row.user)
    row.unit, row.role = unit, role
    row.save()
    _record("updated", row, by, before, password)
    return row


@transaction.atomic
def remove(member: Member, *, by: Any) -> None:
    """Remove a person: their user with it, so that they cannot sign in any more."""
    row = _held(member, by)
    _refuse_self(row, by)
    if is_last_manager(row):
        raise Refused(_("This is the last manager of a top unit. Name another manager first."))
    changes = {name: [value, None] for name, value in _facts(row).items()}
    now, path = database_now(), row.unit.path
    history.record("deleted", row, by=by, now=now, unit_path=path, changes=changes)
    row.user.delete()


def _held(member: Member, by: Any) -> Member:
    """The member, locked, if `by` may change them."""
    lock_tops()
    rows = Member.objects.select_for_update(of=("self",)).select_related("user", "unit")
    row = rows.filter(pk=member.pk).first()
    if row is None or not can(by, Act.ORGANISE, row) or is_above(row, by):
        raise OutOfReach(_("There is no such person."))
    return row


def _check_grant(by: Any, unit: Unit, role: int) -> None:
    if not can_in(by, Act.ORGANISE, Member, unit):
        raise OutOfReach(_("You cannot put people into this unit."))
    if role not in grantable_roles(by):
        message = _("Nobody grants more than they have.")
        raise Refused(message, {"role": [message]})


def _refuse_self(row: Member, by: Any) -> None:
    if row.user_id == by.pk:
        raise Refused(_("Nobody changes their own role, unit or activity, or removes themselves."))


def _fill_user(user: User, values: Mapping[str, Any], password: str) -> None:
    for name in USER_FIELDS:
        if name in values:
            setattr(user, name, values[name])
    check(user, but={field.name for field in User._meta.fields} - set(USER_FIELDS))
    if password:
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Refused(error.messages[0], {"password": error.messages}) from error
        user.set_password(password)


def _store_user(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        check(user, but={field.name for field in User._meta.fields} - set(USER_FIELDS))
        raise


def _facts(member: Member) -> dict[str, Any]:
    # By its number: the page says it in the reader's language.
    facts = facts_of(member.user, USER_FIELDS) | facts_of(member, ["unit"])
    return facts | {"role": int(member.role)}


def _record(verb: str, member: Member, by: Any, before: dict[str, Any], password: str) -> None:
    changes = differences(before, _facts(member))
    if password:
        changes["fields"] = ["Password"]  # that it was set, never what it is
    if changes:
        now, path = database_now(), member.unit.path
        history.record(verb, member, by=by, now=now, unit_path=path, changes=changes)
