"""My notices: how the runs ended that one has registered, what approvers said, what waits for one's
own approval, and how one is told of them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.actions.notices import choose, mark_one_read, mark_read
from channels.alerts.mailing import can_mail
from channels.models import FactKind, NoticeChoice, OwnNotice
from channels.told.questions import still_answered
from config.scoped.times import moment, zone_of
from logs.said import retell
from orgs.reach import within
from orgs.refusal import Refused

SHOWN = 50
LOOKS = {
    FactKind.SENT: ("good", "check_circle"),
    FactKind.PARTIAL: ("warn", "rule"),
    FactKind.FAILED: ("bad", "error"),
    FactKind.UNCONFIRMED: ("warn", "help"),
    FactKind.MISSED: ("bad", "timer_off"),
    FactKind.SKIPPED: ("info", "skip_next"),
    FactKind.APPROVAL_ASKED: ("info", "approval"),
    FactKind.APPROVED: ("good", "task_alt"),
    FactKind.APPROVAL_REFUSED: ("warn", "undo"),
}
PLACES = [
    ("mail", gettext_lazy("by mail to my address")),
    ("apprise", gettext_lazy("to a chat service")),
]


class ChoiceForm(forms.Form):
    """How one is told."""

    bell = forms.ChoiceField(
        label=gettext_lazy("The bell counts"),
        choices=NoticeChoice.What.choices,
        widget=forms.RadioSelect,
    )
    outside = forms.ChoiceField(
        label=gettext_lazy("Outside of these pages I am told"),
        choices=NoticeChoice.What.choices,
        widget=forms.RadioSelect,
    )
    rhythm = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=NoticeChoice.Rhythm.choices,
        widget=forms.RadioSelect,
    )
    place = forms.ChoiceField(label=gettext_lazy("Where"), choices=PLACES, widget=forms.RadioSelect)
    url = forms.CharField(
        label=gettext_lazy("Apprise URL"),
        required=False,
        help_text=gettext_lazy("One place, such as discord://…, slack://… or tgram://…: see the "
                               "docs. Left empty, the one that is kept stays."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )  # fmt: skip


def my_notices(request: HttpRequest) -> HttpResponse:
    """The latest, the newest first."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    before = request.GET.get("before", "")
    rows = _mine(request).order_by("-at", "-id")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        last = rows.filter(pk=int(before)).first()
        rows = rows.filter(at__lt=last.at) if last else rows.none()
    found = list(rows[: SHOWN + 1])
    zone = zone_of(request.user)
    newest = OwnNotice.objects.filter(user=request.user.pk).order_by("-pk").first()
    context = admin.site.each_context(request) | {
        "title": _("My notices"),
        "lines": [
            (row, *LOOKS[FactKind(row.kind)], moment(row.due_at, zone) if row.due_at else "")
            for row in found[:SHOWN]
        ],
        "newest": newest.pk if newest else 0,
        "has_new": any(row.read_at is None for row in found),
        "older": found[SHOWN - 1].pk if len(found) > SHOWN else None,
    }
    return render(request, "channels/my_notices.html", context)


def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """To its run, to where it is answered, or to what was; it is read now."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = _mine(request).filter(pk=pk).first()
    if row is None:
        raise Http404
    mark_one_read(row, by=request.user)
    if row.approval_id:
        return redirect("admin:schedules_approval_change", row.approval_id)
    if row.run_id is None:
        return redirect("admin:schedules_schedule_change", row.schedule_id)
    return redirect("admin:schedules_run_change", row.run_id)


def read_all(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    until = request.POST.get("until", "")
    if until.isascii() and until.isdecimal() and len(until) < 19:
        mark_read(request.user, until=int(until))
    return redirect("my-notices")


def my_settings(request: HttpRequest) -> HttpResponse:
    """How one is told."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    user: Any = request.user
    choice = NoticeChoice.objects.filter(user=user.pk).first() or NoticeChoice(user=user)
    initial = {name: getattr(choice, name) for name in ("bell", "outside", "rhythm")}
    initial["place"] = "apprise" if choice.sealed else "mail"
    form = ChoiceForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            choose(form.cleaned_data, by=user)
        except Refused as error:
            for name, words in error.problems.items():
                form.add_error(name if name in form.fields else None, words)
        else:
            messages.success(request, _("Kept: from now on you are told like this."))
            return redirect("my-notice-settings")
    context = admin.site.each_context(request) | {
        "title": _("How I am told"),
        "form": form,
        "address": user.email,
        "can_mail": can_mail(),
        "service": choice.service,
        "trouble": retell(choice.trouble),
    }
    return render(request, "channels/my_notice_settings.html", context)


def _mine(request: HttpRequest) -> Any:
    """Of what one may still see, and may still answer."""
    rows = within(request.user, OwnNotice.objects.filter(user=request.user.pk))
    return still_answered(request.user, rows)


view = admin.site.admin_view
urlpatterns = [
    path("", view(my_notices), name="my-notices"),
    path("read/", view(read_all), name="my-notices-read"),
    path("settings/", view(my_settings), name="my-notice-settings"),
    path("<int:pk>/open/", view(open_notice), name="my-notice-open"),
]
