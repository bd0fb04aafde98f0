"""The queue of what waits for approval, and the page on which one of it is answered."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

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

from config.scoped.admin import CappedPaginator, ReadOnlyAdmin
from config.scoped.times import zone_of
from config.scoped.way_back import way_back
from orgs.clock import database_now
from orgs.models import Deputy, Unit
from orgs.reach import Act, can_anywhere, stands_in_for, within
from schedules import actions
from schedules.actions.approve import is_own
from schedules.admin.approval_answers import answer_ticked
from schedules.clearance import digest_of, facts_of
from schedules.models import Approval, Schedule
from schedules.models.approval import NOTE_LENGTH
from schedules.shown.approval_queue import lines_of, queue
from schedules.shown.approvals import answer_of, questions_for
from schedules.shown.audience import audience_of
from schedules.shown.chat import chats_of_draft
from schedules.shown.coming import coming
from schedules.shown.facts import differences

PAGE = 25


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    def get_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view
        return [
            path("", wrapped(self.queue_view), name="schedules_approval_changelist"),
            path("answer/", wrapped(self.answer_view), name="schedules_approval_answer"),
            path("<int:pk>/", wrapped(self.review_view), name="schedules_approval_change"),
            path("<int:pk>/approve/", wrapped(self.approve_view), name="schedules_approval_yes"),
            path("<int:pk>/refuse/", wrapped(self.refuse_view), name="schedules_approval_no"),
        ]

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """What waits, the soonest send first."""
        if not self.has_module_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        now = database_now()
        show = "all" if request.GET.get("show") == "all" else "mine"
        rows = {name: queue(request.user, mine=name == "mine") for name in ("mine", "all")}
        page = CappedPaginator(rows[show], PAGE).get_page(request.GET.get("page"))
        context = self.admin_site.each_context(request) | {
            "title": _("Approvals"),
            "subtitle": None,
            "opts": self.opts,
            "show": show,
            "counts": {name: found.count() for name, found in rows.items()},
            "page": page,
            "query": urlencode({"show": show}),
            "lines": lines_of(page.object_list, by=request.user, now=now),
            "here": f"{request.path}?{request.GET.urlencode()}",
            "stands_in": Unit.objects.filter(path__in=stands_in_for(request.user)),
            "may_name": can_anywhere(request.user, Act.ORGANISE, Deputy),
            "note_length": NOTE_LENGTH,
            "now": now,
            "viewer_zone": zone_of(request.user),
        }
        return render(request, "schedules/approvals.html", context)

    def answer_view(self, request: HttpRequest) -> HttpResponse:
        """One answer to all that are ticked."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_module_permission(request):
            raise PermissionDenied
        answer_ticked(request)
        queue_url = reverse("admin:schedules_approval_changelist")
        return HttpResponseRedirect(way_back(request, queue_url))

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Exactly what would be sent, and the two answers."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        asked = self._asked_or_404(request, pk)
        row: Schedule = asked.schedule
        now = database_now()
        facts, before = facts_of(row), asked.answered_facts
        context = self.admin_site.each_context(request) | {
            "title": row.title,
            "subtitle": None,
            "opts": self.opts,
            "asked": asked,
            "schedule": row,
            "now": now,
            "hurry": answer_of(asked, now),
            "seen": digest_of(facts),
            "before": before,
            "differences": differences(before, facts, request.user) if before else [],
            "is_own": is_own(asked, request.user),
            "coming": coming(row, by=request.user, now=now, count=5),
            "chats": chats_of_draft(row, by=request.user, target=request.GET.get("target", "")),
            "audience": audience_of(row, by=request.user),
            "rooms": list(within(request.user, row.rooms.order_by("name", "id"))[:51]),
            "note_length": NOTE_LENGTH,
        }
        return render(request, "schedules/approval.html", context)

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Yes to what was seen."""
        seen, note = request.POST.get("seen", ""), request.POST.get("note", "")
        return self._answer(
            request,
            pk,
            lambda row: actions.approve(row, by=request.user, seen=seen, note=note),
            _("“%(title)s” is approved."),
        )

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """No, with a note."""
        note = request.POST.get("note", "")
        return self._answer(
            request,
            pk,
            lambda row: actions.refuse(row, by=request.user, note=note),
            _("“%(title)s” goes back to its author with your note."),
        )

    def _asked_or_404(self, request: HttpRequest, pk: int) -> Approval:
        found: Approval | None = questions_for(request.user).filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def _answer(
        self, request: HttpRequest, pk: int, act: Callable[[Schedule], Any], words: str
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self._asked_or_404(request, pk).schedule
        try:
            act(row)
        except actions.OutOfReach as error:
            raise Http404 from error
        except actions.Refused as error:
            said = [word for problem in error.problems.values() for word in problem]
            messages.error(request, " ".join(said))
            return HttpResponseRedirect(reverse("admin:schedules_approval_change", args=[pk]))
        messages.success(request, words % {"title": row.title})
        return HttpResponseRedirect(reverse("admin:schedules_approval_changelist"))
