"""The page of freezes: what is frozen, and the forms that freeze and lift."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from channels.models import Account
from config.scoped.admin import ReadOnlyAdmin
from orgs.models import Unit
from orgs.reach import Act, can_anywhere, within
from schedules import actions
from schedules.actions.freeze import freeze, unfreeze
from schedules.models import Freeze
from schedules.models.freeze import REASON_LENGTH
from schedules.shown.freezes import in_force_for, lifted_for, lines_of, subjects_for

SUBJECTS: dict[str, Any] = {"unit": Unit, "account": Account}


@admin.register(Freeze)
class FreezeAdmin(ReadOnlyAdmin):
    def get_urls(self) -> list[Any]:
        """One page in place of a list: no freeze has a page of its own."""
        wrapped = self.admin_site.admin_view
        return [
            path("", wrapped(self.page_view), name="schedules_freeze_changelist"),
            path("freeze/", wrapped(self.freeze_view), name="schedules_freeze_freeze"),
            path("<int:pk>/lift/", wrapped(self.lift_view), name="schedules_freeze_lift"),
        ]

    def page_view(self, request: HttpRequest) -> HttpResponse:
        """What is frozen, and what was."""
        if not self.has_module_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        may_freeze = can_anywhere(request.user, Act.CREATE, Freeze)
        units, accounts = subjects_for(request.user) if may_freeze else ([], [])
        context = self.admin_site.each_context(request) | {
            "title": _("Freezes"),
            "subtitle": None,
            "opts": self.opts,
            "lines": lines_of(request.user, in_force_for(request.user)),
            "lifted": lines_of(request.user, lifted_for(request.user)),
            "may_freeze": may_freeze,
            "units": units,
            "accounts": accounts,
            "chosen": request.GET.get("subject", ""),
            "note_length": REASON_LENGTH,
        }
        return render(request, "schedules/freezes.html", context)

    def freeze_view(self, request: HttpRequest) -> HttpResponse:
        """Freeze what is chosen."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        kind, _colon, number = request.POST.get("subject", "").partition(":")
        is_id = number.isascii() and number.isdecimal() and len(number) < 19
        if kind not in SUBJECTS or not is_id:
            raise Http404
        rows = within(request.user, SUBJECTS[kind].objects.filter(pk=int(number)))
        subject = rows.first()
        if subject is None:
            raise Http404
        why = request.POST.get("why", "")
        words = _("“%(name)s” is frozen: nothing more of it is handed over.")
        return self._carry_out(request, lambda: freeze(subject, by=request.user, why=why), words)

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let it send again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = within(request.user, Freeze.objects.filter(pk=pk)).first()
        if row is None:
            raise Http404
        why = request.POST.get("why", "")
        words = _("“%(name)s” sends again; what is not too late goes now.")
        return self._carry_out(request, lambda: unfreeze(row, by=request.user, why=why), words)

    def _carry_out(
        self, request: HttpRequest, act: Callable[[], Freeze], words: str
    ) -> HttpResponseRedirect:
        try:
            messages.success(request, words % {"name": act().full_name})
        except actions.OutOfReach as error:
            raise Http404 from error
        except actions.Refused as error:
            said = [word for problem in error.problems.values() for word in problem]
            messages.error(request, " ".join(said))
        return HttpResponseRedirect(reverse("admin:schedules_freeze_changelist"))
