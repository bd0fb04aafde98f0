"""What a person may grant to others, and what must not be taken away."""

from typing import Any

from orgs.models import Member, Unit
from orgs.reach import STEP, Role, member_of


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


def is_last_manager(member: Member) -> bool:
    """Whether without this manager nobody could manage the members of a top unit any more.

    Locks the unit's row until the transaction ends: of two managers who remove each other at
    the same moment the second must see what the first did.
    """
    unit = member.unit
    if member.role != Role.MANAGER or len(unit.path) > STEP or not member.user.is_active:
        return False
    list(Unit.objects.select_for_update().filter(pk=unit.pk).values_list("pk"))
    others = unit.members.filter(role=Role.MANAGER, user__is_active=True).exclude(pk=member.pk)
    return not others.exists()
