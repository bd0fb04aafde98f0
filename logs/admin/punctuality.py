"""The page “Punctuality”: how late deliveries were, beside what is promised."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from config.scoped.admin import ReadOnlyAdmin
from config.scoped.times import moment
from logs.admin.chart import chart_of
from logs.models import Attempt, Punctuality
from logs.stats.figures import Figures
from logs.stats.lateness import PROMISE
from logs.stats.punctuality import Report, report, worst_of
from orgs.clock import database_now


@dataclass(frozen=True)
class Card:
    """One figure beside its promise; `is_kept` is None where nothing is promised."""

    title: str
    value: str
    promise: str
    is_kept: bool | None


@admin.register(Punctuality)
class PunctualityAdmin(ReadOnlyAdmin):
    def get_urls(self) -> list[Any]:
        """One page in place of a list: no row has a page of its own."""
        wrapped = self.admin_site.admin_view(self.page_view)
        return [path("", wrapped, name="logs_punctuality_changelist")]

    def page_view(self, request: HttpRequest) -> HttpResponse:
        """The figures of all that the reader reaches."""
        if not self.has_module_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context = self.admin_site.each_context(request) | {
            "title": _("Punctuality"),
            "subtitle": None,
            "opts": self.opts,
            **_figures(request.user, report(request.user, database_now())),
        }
        return render(request, "logs/punctuality.html", context)


def milliseconds(value: int | None) -> str:
    """“187 ms”, “12.3 s”."""
    if value is None:
        return "–"
    return f"{value} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def grouped(number: int) -> str:
    """“12 345”: read alike in every language."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _figures(user: Any, found: Report) -> dict[str, Any]:
    total = found.total
    return {
        "zone": found.zone,
        "total": total,
        "spans": [
            (_("Today"), found.today.count, grouped(found.today.count), _cards(found.today)),
            (_("30 days"), total.count, grouped(total.count), _cards(total)),
        ],
        "chart": chart_of(found.days),
        "days": [(day, line_of(figures)) for day, figures in found.days.items() if figures.count],
        "channels": [(channel, line_of(figures)) for channel, figures in found.channels.items()],
        "worst": [_worst(attempt, found.zone) for attempt in worst_of(user, total)],
    }


def _cards(figures: Figures) -> list[Card]:
    promised = _("promised: at most %(most)s")
    return [
        Card(
            _("Half within (p50)"),
            milliseconds(figures.p50),
            promised % {"most": milliseconds(PROMISE.p50)},
            figures.keeps_p50,
        ),
        Card(
            _("99 of 100 within (p99)"),
            milliseconds(figures.p99),
            promised % {"most": milliseconds(PROMISE.p99)},
            figures.keeps_p99,
        ),
        Card(
            _("The latest"), milliseconds(figures.worst_ms), _("no promise for a single one"), None
        ),
        Card(_("Early"), str(figures.early), _("promised: never early"), figures.keeps_never_early),
    ]


def line_of(figures: Figures) -> dict[str, Any]:
    """Count, quantiles and verdict, in words."""
    return {
        "count": grouped(figures.count),
        "p50": milliseconds(figures.p50),
        "p99": milliseconds(figures.p99),
        "worst": milliseconds(figures.worst_ms),
        "early": figures.early,
        "is_kept": figures.keeps_p50 and figures.keeps_p99 and figures.keeps_never_early,
    }


def _worst(attempt: Attempt, zone: str) -> dict[str, Any]:
    run = reverse("admin:schedules_run_change", args=[attempt.run_id])
    return {
        "attempt": attempt,
        "late": milliseconds(attempt.lateness_ms),
        "due": moment(attempt.due_at, zone),
        "address": f"{run}#delivery-{attempt.delivery_id}",
    }
