"""What is done to many schedules at once: looked at first, then carried out, answered one by
one. Each goes through the act of one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orgs.clock import database_now
from schedules import actions
from schedules.actions.shift import MOST_DAYS, MOST_MINUTES
from schedules.models import Schedule

MOST = 200  # at once: they are answered within one request

Values = dict[str, Any]


class NoForm(forms.Form):
    """Nothing to fill in."""


class ShiftForm(forms.Form):
    """By how much."""

    days = forms.IntegerField(
        label=gettext_lazy("Days"),
        min_value=-MOST_DAYS,
        max_value=MOST_DAYS,
        initial=0,
        required=False,
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"),
        min_value=-MOST_MINUTES,
        max_value=MOST_MINUTES,
        initial=0,
        required=False,
    )

    def clean(self) -> Values:
        found = {name: self.cleaned_data.get(name) or 0 for name in ("days", "minutes")}
        if not self.errors and not any(found.values()):
            raise forms.ValidationError(_("Say by how many days or minutes; −30 is earlier."))
        return {"span": timedelta(**found)}


class PriorityForm(forms.Form):
    """How important."""

    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=0,
        max_value=100,
        help_text=gettext_lazy("0 to 100; of what is due at once, higher first. 50 is usual."),
    )


@dataclass(frozen=True)
class Line:
    """One schedule: what would become of it or became of it, or why nothing does."""

    row: Schedule
    then: datetime | str | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Deed:
    """`foresee` says what `act` would do: a time or words; both raise Refused."""

    title: Any
    lead: Any
    button: Any
    act: Callable[..., Any]
    foresee: Callable[..., Any] | None = None
    form: type[forms.Form] = NoForm
    is_final: bool = False


def _shift(row: Schedule, *, by: Any, seen: int, span: timedelta) -> datetime | None:
    return actions.shift(row, by=by, span=span, seen=seen).next_due_at


def _foresee_shift(row: Schedule, *, by: Any, now: datetime, span: timedelta) -> datetime | None:
    return actions.foresee_shift(row, by=by, span=span, now=now)


def _prioritise(row: Schedule, *, by: Any, seen: int, priority: int) -> str:
    return str(actions.set_priority(row, by=by, priority=priority).priority)


def _moved(act: Callable[..., Schedule]) -> Callable[..., str]:
    def carry_out(row: Schedule, *, by: Any, seen: int) -> str:
        return str(act(row, by=by).get_state_display())

    return carry_out


DEEDS = {
    "pause": Deed(gettext_lazy("Pause"), "", "", _moved(actions.pause)),
    "resume": Deed(gettext_lazy("Resume"), "", "", _moved(actions.resume)),
    "shift": Deed(
        gettext_lazy("Shift the times"),
        gettext_lazy("By days and minutes of each schedule’s own clock; with a minus, earlier. "
                     "Its rhythm stays as it is. What has begun is finished as it was."),
        gettext_lazy("Shift"),
        _shift,
        _foresee_shift,
        ShiftForm,
    ),
    "priority": Deed(
        gettext_lazy("Change the priority"),
        gettext_lazy("It holds from the next run on."),
        gettext_lazy("Change"),
        _prioritise,
        form=PriorityForm,
    ),
    "cancel": Deed(
        gettext_lazy("Cancel for good"),
        gettext_lazy("Nothing more is sent, also what waits now. They cannot be taken up again; "
                     "to stop for a while, pause them."),
        gettext_lazy("Cancel for good"),
        _moved(actions.cancel),
        is_final=True,
    ),
}  # fmt: skip


def carry_out_at_once(
    page: Any, request: HttpRequest, chosen: QuerySet, verb: str
) -> HttpResponse | None:
    """Where nothing need be asked. Back to the list, or each by its name where one was refused."""
    rows = _few(request, chosen)
    lines = [_carry_out(DEEDS[verb], row, row.revision, {}, by=request.user) for row in rows]
    if any(line.refusal for line in lines):
        return _show(page, request, verb, NoForm(), lines, is_done=True)
    _tell(request, lines)
    return None


def ask(page: Any, request: HttpRequest, chosen: QuerySet, verb: str) -> HttpResponse | None:
    """The page on which it is looked at before it is done."""
    rows = _few(request, chosen)
    if not rows:
        return None
    lines = [Line(row) for row in rows]
    return _show(page, request, verb, DEEDS[verb].form(), lines)


def many_view(page: Any, request: HttpRequest, verb: str) -> HttpResponse:
    """Look at it, or with `sure` carry it out."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if verb not in DEEDS or not page.has_change_permission(request):
        raise Http404
    seen = _seen(request.POST.getlist("row"))
    rows = list(page.get_queryset(request).filter(pk__in=seen).order_by("-id"))
    if not rows:
        raise Http404
    form = DEEDS[verb].form(request.POST)
    if not form.is_valid():
        return _show(page, request, verb, form, [Line(row) for row in rows])
    if "sure" not in request.POST:
        return _show(page, request, verb, form, _foresee(verb, rows, form, request.user))
    values, by = form.cleaned_data, request.user
    lines = [_carry_out(DEEDS[verb], row, seen[row.pk], values, by=by) for row in rows]
    if any(line.refusal for line in lines):
        return _show(page, request, verb, form, lines, is_done=True)
    _tell(request, lines)
    return redirect("admin:schedules_schedule_changelist")


def _carry_out(deed: Deed, row: Schedule, seen: int, values: Values, *, by: Any) -> Line:
    try:
        then = deed.act(row, by=by, seen=seen, **values)
    except actions.Refused as error:
        return Line(row, refusal=str(error))
    return Line(row, then)


def _foresee(verb: str, rows: Iterable[Schedule], form: forms.Form, by: Any) -> list[Line]:
    foresee, now = DEEDS[verb].foresee, database_now()
    lines = []
    for row in rows:
        try:
            lines.append(Line(row, foresee(row, by=by, now=now, **form.cleaned_data)
                              if foresee else None))  # fmt: skip
        except actions.Refused as error:
            lines.append(Line(row, refusal=str(error)))
    return lines


def _show(
    page: Any, request: HttpRequest, verb: str, form: forms.Form, lines: list[Line],
    *, is_done: bool = False,
) -> HttpResponse:  # fmt: skip
    deed = DEEDS[verb]
    is_foreseen = form.is_bound and form.is_valid() and not is_done
    context = {
        **admin.site.each_context(request),
        "title": deed.title,
        "opts": page.opts,
        "verb": verb,
        "deed": deed,
        "form": form,
        "lines": lines,
        "now": database_now(),
        "is_done": is_done,
        "is_ready": (is_foreseen or deed.form is NoForm) and not is_done,
        "going": sum(not line.refusal for line in lines),
        "refused": sum(bool(line.refusal) for line in lines),
    }
    return render(request, "schedules/many.html", context)


def _few(request: HttpRequest, chosen: QuerySet) -> list[Schedule]:
    """Those that were ticked; none where they are too many, which is said."""
    rows = list(chosen.order_by("-id")[: MOST + 1])
    if len(rows) > MOST:
        messages.error(request, _("Choose at most %(most)d at once.") % {"most": MOST})
        return []
    return rows


def _tell(request: HttpRequest, lines: list[Line]) -> None:
    if count := len(lines):
        said = ngettext("%(count)d schedule changed.", "%(count)d schedules changed.", count)
        messages.success(request, said % {"count": count})


def _seen(values: Iterable[str]) -> dict[int, int]:
    """“12@3”: the id of a row, and the revision that was looked at."""
    pairs = (value.partition("@") for value in list(values)[:MOST])
    return {int(pk): int(seen) for pk, _at, seen in pairs if _is_number(pk) and _is_number(seen)}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
