"""The worklist of what may or may not have arrived: evidence, and a person's three answers."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from config.scoped.admin import CappedPaginator
from config.scoped.times import zone_of
from config.scoped.way_back import way_back
from orgs.clock import database_now
from orgs.reach import Act, can_anywhere, within
from schedules import actions
from schedules.actions.resolve import IN_WORDS, MOST_AT_ONCE, NOTE_LENGTH, Resolved, settled_before
from schedules.admin.narrowing import Narrowing
from schedules.models import Delivery
from schedules.shown.doubt import Evidence, evidence_of, with_evidence

PAGE = 50
NAMED = 5  # refused ones that are named one by one

Verdict = actions.Verdict


@require_safe
def not_confirmed_page(request: HttpRequest) -> HttpResponse:
    """What waits for a person, the oldest first; or what is still asked, or was left."""
    if not can_anywhere(request.user, Act.VIEW, Delivery):
        raise Http404
    now = database_now()
    narrowing = Narrowing(request.GET, by=request.user, now=now)
    rows = with_evidence(narrowing.rows()).order_by("due_at", "id")
    page = CappedPaginator(rows, PAGE).get_page(request.GET.get("page"))
    asked = {name: value for name, value in request.GET.items() if name != "page"}
    context = _page(request) | {
        "title": _("Not confirmed"),
        "narrowing": narrowing,
        "page": page,
        "query": urlencode(asked),
        "here": f"{request.path}?{request.GET.urlencode()}",
        "lines": evidence_of(list(page.object_list), by=request.user, now=now),
        "may_decide": can_anywhere(request.user, Act.RUN, Delivery),
        "now": now,
        "is_left": narrowing.show == "left",
    }
    return render(request, "schedules/not_confirmed.html", context)


@require_POST
def decide_page(request: HttpRequest) -> HttpResponse:
    """Carry out one answer for one row or for many; ask first where it should be asked."""
    if not can_anywhere(request.user, Act.RUN, Delivery):
        raise Http404
    verdict, doubts = _answer(request)
    if not doubts:
        messages.error(request, _("Tick the messages that you mean first."))
    elif verdict == Verdict.SEND_AGAIN and "sure" not in request.POST:
        open_ones = _still_open(request, verdict, doubts)
        if open_ones:
            return ask_if_sure(request, verdict, open_ones)
    else:
        note = _note(request)
        sure = "sure" in request.POST
        resolved = actions.resolve_many(doubts, verdict, by=request.user, note=note, sure=sure)
        _tell(request, resolved, verdict)
        unsure = [d for d in doubts if isinstance(resolved.refused.get(d.pk), actions.NeedsSure)]
        if unsure:
            return ask_if_sure(request, verdict, unsure)
    return HttpResponseRedirect(way_back(request, reverse("not-confirmed")))


def _still_open(
    request: HttpRequest, verdict: actions.Verdict, doubts: Sequence[actions.Doubt]
) -> list[actions.Doubt]:
    """Those that nobody has decided since the page was opened; of the others it is said who has."""
    refused = settled_before(doubts, by=request.user)
    _tell(request, Resolved(refused=refused), verdict)
    return [doubt for doubt in doubts if doubt.pk not in refused]


def ask_if_sure(
    request: HttpRequest, verdict: actions.Verdict, doubts: Sequence[actions.Doubt]
) -> HttpResponse:
    """The question that comes before what cannot be undone: how late it would be, and whether
    the channel may still answer by itself."""
    now = database_now()
    seen = {doubt.pk: doubt for doubt in doubts}
    reached = within(request.user, Delivery.objects.filter(pk__in=seen), Act.RUN)
    lines = evidence_of(
        list(with_evidence(reached).order_by("due_at", "id")), by=request.user, now=now
    )
    if not lines:
        raise Http404
    context = _page(request) | {
        "title": _("Are you sure?"),
        "verdict": verdict.value,
        "is_sending": verdict == Verdict.SEND_AGAIN,
        "lines": [(line, _value(line, seen[line.delivery.pk])) for line in lines],
        "is_asked": any(line.asked_until for line in lines),
        "note": _note(request),
        "next": way_back(request, reverse("not-confirmed")),
    }
    return render(request, "schedules/not_confirmed_sure.html", context)


def _page(request: HttpRequest) -> dict[str, Any]:
    facts = {
        "viewer_zone": zone_of(request.user),
        "note_length": NOTE_LENGTH,
        "now": database_now(),
    }
    return admin.site.each_context(request) | facts


def _value(line: Evidence, doubt: actions.Doubt) -> str:
    return f"{line.delivery.pk}@{doubt.seen or ''}"


def _answer(request: HttpRequest) -> tuple[actions.Verdict, list[actions.Doubt]]:
    """What a button says: `one` is “verdict 12@seen”, else `verdict` about the ticked rows."""
    word, _space, row = request.POST.get("one", "").partition(" ")
    values = [row] if row else request.POST.getlist("row")[:MOST_AT_ONCE]
    word = word or request.POST.get("verdict", "")
    if word not in list(Verdict):
        raise Http404
    return Verdict(word), [doubt for value in values if (doubt := _doubt(value))]


def _doubt(value: str) -> actions.Doubt | None:
    pk, _at, seen = value.partition("@")
    is_id = pk.isascii() and pk.isdecimal() and len(pk) < 19
    return actions.Doubt(int(pk), seen) if is_id else None


def _note(request: HttpRequest) -> str:
    return request.POST.get("note", "").replace("\x00", "").strip()[:NOTE_LENGTH]


def _tell(request: HttpRequest, resolved: Resolved, verdict: actions.Verdict) -> None:
    """What was decided, and each that was not, by its name and with the reason."""
    count = len(resolved.decided)
    if count:
        said = ngettext(
            "%(count)d message: %(verdict)s.", "%(count)d messages: %(verdict)s.", count
        )
        messages.success(request, said % {"count": count, "verdict": IN_WORDS[verdict]})
    others = {
        pk: refusal
        for pk, refusal in resolved.refused.items()
        if not isinstance(refusal, actions.NeedsSure)
    }
    reached = within(request.user, Delivery.objects.filter(pk__in=list(others)))
    names = dict(reached.values_list("pk", "room_name"))
    for pk, refusal in list(others.items())[:NAMED]:
        name = names.get(pk)
        messages.error(request, f"{name}: {refusal}" if name else str(refusal))
    if len(others) > NAMED:
        more = len(others) - NAMED
        said = ngettext("%(count)d more was not decided.", "%(count)d more were not decided.", more)
        messages.error(request, said % {"count": more})


urlpatterns = [
    path("", admin.site.admin_view(not_confirmed_page), name="not-confirmed"),
    path("decide/", admin.site.admin_view(decide_page), name="not-confirmed-decide"),
]
