"""What a person may grant to others, and what must not be taken away."""

from typing import Any

from django.db.models import QuerySet

from orgs.models import Member, Unit
from orgs.reach import STEP, Act, Role, can, can_anywhere, member_of


def grantable_roles(user: Any) -> list[Role]:
    """The roles that `user` may give: none above their own."""
    if user.is_superuser:
        return list(Role)
    member = member_of(user)
    return [role for role in Role if member and role <= member.role]


def is_above(member: Member, user: Any) -> bool:
    """Whether `member` may do more than `user`, so that `user` must not edit them: with the
    other's password they would have the other's rights."""
    if user.is_superuser:
        return False
    return member.user.is_superuser or member.role not in grantable_roles(user)


def may_view_as(user: Any, member: Member) -> bool:
    """Whether `user`, a manager of a headquarters, may see the pages as `member`: somebody within
    reach who may do less, and can sign in."""
    if not (
        user.is_active and can_anywhere(user, Act.ORGANISE, Unit) and can(user, Act.VIEW, member)
    ):
        return False
    person = member.user
    if person.is_superuser or not (person.is_active and person.is_staff) or person.pk == user.pk:
        return False
    own = member_of(user)
    return own is None or member.unit_id != own.unit_id or member.role < own.role


def is_last_manager(member: Member) -> bool:
    """Whether without this manager nobody could manage the members of a top unit any more. Asked
    in a transaction, after `lock_tops`, before they are changed."""
    unit = member.unit
    if member.role != Role.MANAGER or len(unit.path) > STEP or not member.user.is_active:
        return False
    return not _active_managers(unit).exclude(pk=member.pk).exists()


def has_active_manager(unit: Unit) -> bool:
    """Whether somebody in this very unit manages it."""
    return _active_managers(unit).exists()


def lock_tops() -> None:
    """Hold the top units until the transaction ends: of two managers who remove each other at the
    same moment the second must see what the first did. Before any member is locked."""
    list(Unit.objects.select_for_update().filter(depth=1).order_by("pk").values_list("pk"))


def _active_managers(unit: Unit) -> QuerySet[Member]:
    return unit.members.filter(role=Role.MANAGER, user__is_active=True)
