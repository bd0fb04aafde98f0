"""Approvers: the people whose answer is wanted at a unit. Whether they may give it is asked when
they do."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from orgs.models import Deputy, Member, Unit
from orgs.reach import Role, covers, lineage


def approvers_of(units: Collection[Unit], now: datetime, *, but: Collection[int]) -> list[Member]:
    """Those at these units, of one line, by their role or as deputies; where there is nobody, those
    at the nearest unit above that has some. Without the users of `but`."""
    paths = {unit.path for unit in units}
    deepest = max(paths, key=len)
    by_place = _by_place(_active(lineage(deepest)), now, but)
    found = [member for path in sorted(paths) for member in by_place[path]]
    above = [path for path in reversed(lineage(deepest)) if by_place[path]]
    found = found or [member for path in above[:1] for member in by_place[path]]
    return list({member.user_id: member for member in found}.values())


def _active(paths: list[str]) -> list[str]:
    """Those of a line, the top first, that neither are inactive nor stand under one that is."""
    stopped = Unit.objects.filter(path__in=paths, is_active=False).order_by("depth")
    first = stopped.values_list("path", flat=True).first()
    return paths[: paths.index(first)] if first else paths


def _by_place(
    paths: list[str], now: datetime, but: Collection[int]
) -> defaultdict[str, list[Member]]:
    found = defaultdict(list)
    people = Member.objects.filter(unit__path__in=paths, user__is_active=True)
    people = people.exclude(user__in=but).select_related("unit").order_by("pk")
    for member in people.filter(role__gte=Role.APPROVER):
        found[member.unit.path].append(member)
    deputies = Deputy.objects.current(now).filter(unit__path__in=paths, member__in=people)
    for deputy in deputies.select_related("unit", "member__unit").order_by("pk"):
        if covers(deputy.member.unit.path, deputy.unit.path):
            found[deputy.unit.path].append(deputy.member)
    return found
