"""What failed for good of runs is sent once more: looked at first, then carried out, each answered
for itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.scoped.choices import is_id
from orgs.clock import database_now
from schedules import actions
from schedules.models import Delivery, Run

MOST = 200  # at once: they are answered within one request
NAMED = 5


@dataclass(frozen=True)
class Line:
    """One delivery, and what stands against it: `is_barred`, or else one ought to be sure."""

    delivery: Delivery
    words: str = ""
    is_barred: bool = False


def failed_of(run: Run, *, by: Any) -> int:
    """How many failed for good of which this person may say that they go again."""
    return actions.retryable(by).filter(run=run).count() if run.failed else 0


def ask(page: Any, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse | None:
    """The page on which it is looked at. None where there is nothing, which is said."""
    failed = actions.retryable(request.user).filter(run__in=runs.values("pk"))
    rows = failed.select_related("run").defer("run__payloads", "run__content", "members")
    found = list(rows.order_by("due_at", "id")[: MOST + 1])
    if not found:
        messages.warning(request, _("Nothing of it has failed for good."))
        return None
    lines = _foreseen(found[:MOST], by=request.user)
    context = {
        **admin.site.each_context(request),
        "title": _("Send what failed again"),
        "opts": page.opts,
        "lines": lines,
        "now": database_now(),
        "going": sum(not line.is_barred for line in lines),
        "has_more": len(found) > MOST,
        "most": MOST,
        "back": _back([line.delivery for line in lines]),
    }
    return render(request, "schedules/retry.html", context)


def retry_view(page: Any, request: HttpRequest) -> HttpResponse:
    """Look at what failed of a run; posted, send what was ticked."""
    if request.method == "GET":
        asked = request.GET.get("run", "")
        runs = page.get_queryset(request).filter(pk__in=_ids([asked]))
        if not runs.exists():
            raise Http404
        return ask(page, request, runs) or redirect("admin:schedules_run_change", asked)
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "POST"])
    return _carry_out(request, _ids(request.POST.getlist("row"))[:MOST])


def _carry_out(request: HttpRequest, ids: list[int]) -> HttpResponse:
    rows = list(actions.retryable(request.user).filter(pk__in=ids).only("run_id", "room_name"))
    if ids:
        _tell(request, actions.retry(ids, by=request.user), {row.pk: row for row in rows})
    else:
        messages.error(request, _("Choose at least one."))
    return redirect(_back(rows))


def _foreseen(rows: list[Delivery], *, by: Any) -> list[Line]:
    foreseen = actions.foresee_retry([row.pk for row in rows], by=by)
    return [_line(row, foreseen.get(row.pk)) for row in rows]


def _line(row: Delivery, refusal: actions.Refused | None) -> Line:
    if refusal is None:
        return Line(row)
    return Line(row, str(refusal), is_barred=not isinstance(refusal, actions.NeedsSure))


def _tell(request: HttpRequest, retried: actions.Retried, rows: dict[int, Delivery]) -> None:
    """How many go again, and each that does not, by its name and with the reason."""
    if count := len(retried.planned):
        said = ngettext("%(count)d is sent again.", "%(count)d are sent again.", count)
        messages.success(request, said % {"count": count})
    for pk, refusal in list(retried.refused.items())[:NAMED]:
        name = rows[pk].room_name if pk in rows else ""
        messages.error(request, f"{name}: {refusal}" if name else str(refusal))
    if (more := len(retried.refused) - NAMED) > 0:
        said = ngettext("%(count)d more is not.", "%(count)d more are not.", more)
        messages.error(request, said % {"count": more})


def _back(rows: Iterable[Delivery]) -> str:
    """To the run that they are of; where there are several, to their list."""
    runs = list({row.run_id for row in rows})
    if len(runs) == 1:
        return reverse("admin:schedules_run_change", args=runs)
    return reverse("admin:schedules_run_changelist")


def _ids(texts: Iterable[str]) -> list[int]:
    return [int(text) for text in texts if text and is_id(text)]
