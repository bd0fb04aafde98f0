"""Which part of the tree is drawn: the top of what a person reaches, what is opened, what is
searched for. Further children are fetched when their unit is opened."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import Length, RowNumber, Substr

from config.organisation.nodes import Node, nodes_of
from orgs.models import Member, Unit
from orgs.reach import STEP, covers, lineage, within

CHILDREN = 100  # of one unit at a time
FOUND = 50

ABOVE = Substr("path", 1, Length("path") - STEP)


def opened(user: Any, unit: Unit | None) -> list[Node]:
    """The top with its children, and the way down to `unit` with its own."""
    tops, above = list(_tops(user)), lineage(unit.path) if unit else []
    down = [path for path in above if any(covers(top.path, path) for top in tops)]
    children = list(_children(user, {*down, *(top.path for top in tops)}, down))
    return _tree(user, tops, children)


def below(user: Any, unit: Unit, last: Unit | None) -> Node:
    """A unit that was opened, with its children, or those after the last that is there."""
    rows = _children(user, [unit.path], after=last.path if last else "")
    return _tree(user, [unit], list(rows))[0]


def found(user: Any, words: str) -> tuple[list[Node], bool]:
    """The units that are called so, or in which somebody is, each with the way down to it; and
    whether there are more."""
    who = ("user__username", "user__first_name", "user__email")
    people = within(user, Member.objects.filter(_any_has(who, words))).values("unit")
    named = _any_has(("name", "code"), words) | Q(pk__in=people)
    hits = list(within(user, Unit.objects.filter(named)).order_by("path")[: FOUND + 1])
    steps = {step for hit in hits[:FOUND] for step in lineage(hit.path)}
    rows = list(within(user, Unit.objects.filter(path__in=steps)).order_by("path"))
    known = {row.path for row in rows}
    tops = [row for row in rows if row.path[:-STEP] not in known]
    under_others = [row for row in rows if row.path[:-STEP] in known]
    return _tree(user, tops, under_others), len(hits) > FOUND


def _any_has(fields: Iterable[str], words: str) -> Q:
    condition = Q()
    for name in fields:
        condition |= Q(**{f"{name}__icontains": words})
    return condition


def _tops(user: Any) -> QuerySet[Unit]:
    """Where what the person reaches begins: their own unit, or every headquarters."""
    rows = within(user, Unit.objects.all())
    return rows.filter(depth=rows.order_by("depth").values("depth")[:1]).order_by("path")


def _children(
    user: Any, paths: Collection[str], down: Collection[str] = (), after: str = ""
) -> QuerySet[Unit]:
    """The first children of each of these units, and in any case those at `down`; with how many
    there are. One query, however many units."""
    rows = within(user, Unit.objects.filter(depth__gt=1, path__gt=after))
    above = F("above")
    return (
        rows.annotate(above=ABOVE)
        .filter(above__in=paths)
        .annotate(
            number=Window(RowNumber(), partition_by=above, order_by="path"),
            count=Window(Count("pk"), partition_by=above),
        )
        .filter(Q(number__lte=CHILDREN) | Q(path__in=down))
        .order_by("path")
    )


def _tree(user: Any, tops: list[Unit], children: list[Unit]) -> list[Node]:
    """These units with what the page says of each, as they hang together."""
    nodes = nodes_of(user, [*tops, *children])
    by_parent: dict[str, list[Unit]] = defaultdict(list)
    for row in children:
        by_parent[row.path[:-STEP]].append(row)
    for path, rows in by_parent.items():
        _hang(nodes[path], rows, nodes)
    return _numbered([nodes[top.path] for top in tops], len(tops))


def _hang(node: Node, rows: list[Any], nodes: dict[str, Node]) -> None:
    count = getattr(rows[0], "count", len(rows))
    node.rest = count - len(rows)
    node.after = rows[:CHILDREN][-1].pk
    before = max(node.unit.numchild - count, 0) if hasattr(rows[0], "count") else 0
    node.children = _numbered([nodes[row.path] for row in rows], before + count, before)


def _numbered(nodes: list[Node], total: int, before: int = 0) -> list[Node]:
    for place, node in enumerate(nodes, before + 1):
        node.place, node.siblings = place, total
    return nodes
