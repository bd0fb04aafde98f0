"""From where a person acts: who stands below that undoes nothing of it."""

from typing import Any

from orgs.models import Unit
from orgs.reach import lineage, member_of


def unit_of(by: Any, path: str) -> Unit:
    """Their own unit; a superuser without one stands at the top of the tree of `path`."""
    member = member_of(by)
    found: Unit = member.unit if member else Unit.objects.get(path=lineage(path)[0])
    return found
