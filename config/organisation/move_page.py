"""Moving a unit: under which it is to stand, what would come of it, and the button that does it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from config.scoped.choices import is_id
from orgs.actions.units import RANK
from orgs.models import Unit
from orgs.reach import Act, lineage, under, within
from orgs.refusal import OutOfReach, Refused
from schedules.actions.move_unit import foresee_move, move_unit

OFFERED = 200  # units in the choice; others are searched for
LONGEST = 100  # characters that are searched for


@require_http_methods(["GET", "POST"])
def move_page(request: HttpRequest, pk: int) -> HttpResponse:
    """`parent` says where to, `q` narrows what is offered."""
    viewer: Any = request.user
    unit = within(viewer, Unit.objects.filter(pk=pk, depth__gt=1), Act.ORGANISE).first()
    if unit is None:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    places = _places(viewer, unit)
    parent = _one(places, given.get("parent", ""))
    if request.method == "POST" and parent and _move(request, unit, parent):
        return HttpResponseRedirect(f"{reverse('organisation')}?open={unit.pk}")
    return render(request, "organisation/move.html", _page(request, unit, parent, places))


def _page(
    request: HttpRequest, unit: Unit, parent: Unit | None, places: QuerySet[Unit]
) -> dict[str, Any]:
    words = request.GET.get("q", "").strip()[:LONGEST]
    found = places.filter(Q(name__icontains=words) | Q(code__icontains=words)) if words else places
    offered = list(found[: OFFERED + 1])
    return admin.site.each_context(request) | {
        "title": _("Move %(unit)s") % {"unit": unit.name},
        "unit": unit,
        "above": Unit.objects.get_parent(unit),
        "parent": parent,
        "places": offered[:OFFERED],
        "words": words,
        "has_more": len(offered) > OFFERED,
        "outlook": foresee_move(unit, to=parent, by=request.user) if parent else None,
    }


def _places(viewer: Any, unit: Unit) -> QuerySet[Unit]:
    """Where it could stand: under a unit of a higher kind, in its organisation."""
    higher = [kind for kind in Unit.Kind if RANK[kind] < RANK[Unit.Kind(unit.kind)]]
    top = Unit(path=lineage(unit.path)[0])
    found = under(top, within(viewer, Unit.objects.filter(kind__in=higher), Act.ORGANISE))
    return found.exclude(path=lineage(unit.path)[-2]).order_by("path")


def _one(places: QuerySet[Unit], key: str) -> Unit | None:
    return places.filter(pk=key).first() if key and is_id(key) else None


def _move(request: HttpRequest, unit: Unit, parent: Unit) -> bool:
    try:
        move_unit(unit, to=parent, by=request.user)
    except OutOfReach as error:
        raise Http404 from error
    except Refused as error:
        messages.error(request, str(error))
        return False
    said = _("“%(unit)s” now stands under “%(parent)s”.")
    messages.success(request, said % {"unit": unit.name, "parent": parent.name})
    return True
