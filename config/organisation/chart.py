"""The chart: the tree of units, a level at a time, with what each of them has."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.organisation.branches import CHILDREN, below, found, opened
from config.organisation.move_page import move_page
from config.organisation.why_page import why_page
from config.scoped.choices import is_id
from orgs.models import Unit
from orgs.reach import Act, can_anywhere, within

LONGEST = 100  # characters that are searched for


@require_safe
def chart(request: HttpRequest) -> HttpResponse:
    """The page; `open` says down to which unit, `q` what is searched for."""
    if not can_anywhere(request.user, Act.VIEW, Unit):
        raise Http404
    words = request.GET.get("q", "").strip()[:LONGEST]
    unit = _unit(request, request.GET.get("open", ""))
    nodes, has_more = found(request.user, words) if words else (opened(request.user, unit), False)
    context = admin.site.each_context(request) | {
        "title": _("Organisation chart"),
        "nodes": nodes,
        "words": words,
        "has_more": has_more,
        "chosen": unit.pk if unit else None,
        "step": CHILDREN,
    }
    return render(request, "organisation/chart.html", context)


@require_safe
def branches(request: HttpRequest, pk: int) -> HttpResponse:
    """The children of one unit, as they hang under it on the page."""
    unit = within(request.user, Unit.objects.filter(pk=pk)).first()
    if unit is None:
        raise Http404
    last = _unit(request, request.GET.get("after", ""))
    context = {"node": below(request.user, unit, last), "step": CHILDREN}
    return render(request, "organisation/branches.html", context)


def _unit(request: HttpRequest, key: str) -> Unit | None:
    if not key or not is_id(key):
        return None
    return within(request.user, Unit.objects.filter(pk=key)).first()


urlpatterns = [
    path("", admin.site.admin_view(chart), name="organisation"),
    path("why/", admin.site.admin_view(why_page), name="organisation-why"),
    path("<int:pk>/move/", admin.site.admin_view(move_page), name="organisation-move"),
    path("<int:pk>/branches/", admin.site.admin_view(branches), name="organisation-branches"),
]
