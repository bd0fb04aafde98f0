"""The buttons of a schedule's page: each names an act and says where to go then."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from logs.said import retell
from schedules import actions
from schedules.actions.run_now import UNDO
from schedules.admin.one_time import ONE_TIME, page_of
from schedules.admin.testing import send_as_asked
from schedules.models import Schedule
from schedules.states import RunState


def act_on(request: HttpRequest, row: Schedule, verb: str) -> str:
    """Do it; the address of the page to show then. Raises Http404."""
    act = ACTS.get(verb)
    if act is None:
        raise Http404
    try:
        return act(request, row)
    except actions.OutOfReach as error:
        raise Http404 from error
    except actions.Refused as error:
        messages.error(request, str(error))
        return page_of(row)


def _pause(request: HttpRequest, row: Schedule) -> str:
    actions.pause(row, by=request.user)
    messages.success(request, _("Paused. Nothing is sent until it is resumed."))
    return page_of(row)


def _resume(request: HttpRequest, row: Schedule) -> str:
    actions.resume(row, by=request.user)
    messages.success(request, _("Resumed. What fell into the pause is not made up for."))
    return page_of(row)


def _cancel(request: HttpRequest, row: Schedule) -> str:
    actions.cancel(row, by=request.user)
    messages.success(request, _("Cancelled for good."))
    return page_of(row)


def _run(request: HttpRequest, row: Schedule) -> str:
    return _send(request, row, timedelta())


def _run_soon(request: HttpRequest, row: Schedule) -> str:
    """So that it can be taken back meanwhile."""
    return _send(request, row, UNDO)


def _take_back(request: HttpRequest, row: Schedule) -> str:
    asked = request.POST.get("run", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        raise Http404
    done = actions.rollback(row, by=request.user, run_id=int(asked))
    messages.success(request, _("Taken back: nothing of it was sent."))
    if done.stays:
        messages.warning(request, _("What had left already stays there."))
    return reverse("admin:schedules_run_change", args=[done.run.pk])


def _send(request: HttpRequest, row: Schedule, after: timedelta) -> str:
    run = actions.execute(row, by=request.user, after=after)
    if run.state == RunState.SKIPPED:
        why = (
            f"{run.get_reason_display()} ({retell(run.detail)})"
            if run.detail
            else run.get_reason_display()
        )
        messages.warning(request, _("Nothing is sent: %(why)s") % {"why": why})
    else:
        words = _("It is sent in a few seconds.") if after else _("It is being sent now.")
        messages.success(request, words)
    return reverse("admin:schedules_run_change", args=[run.pk])


def _test(request: HttpRequest, row: Schedule) -> str:
    send_as_asked(request, row)
    return page_of(row)


def _check(request: HttpRequest, row: Schedule) -> str:
    actions.check(row, by=request.user)
    return f"{page_of(row)}#preflight"


def _edit(request: HttpRequest, row: Schedule) -> str:
    copy = actions.begin_edit(row, by=request.user)
    return reverse("wizard-step", args=[copy.pk, "target"])


def _duplicate(request: HttpRequest, row: Schedule) -> str:
    try:
        uid = UUID(request.POST.get("uid", ""))
    except ValueError:
        uid = uuid4()
    draft = actions.duplicate(row, by=request.user, uid=uid)
    messages.success(request, _("This is a draft with the same content. Adapt and register it."))
    return reverse("wizard-step", args=[draft.pk, "target"])


def _discard(request: HttpRequest, row: Schedule) -> str:
    copy = row.drafts.first()
    if copy is not None:
        actions.drop_edit(copy, by=request.user)
        messages.success(request, _("The changes were discarded. The schedule is as it was."))
    return page_of(row)


ACTS: dict[str, Callable[[HttpRequest, Schedule], str]] = {
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "run": _run,
    "run-soon": _run_soon,
    "take-back": _take_back,
    "test": _test,
    "check": _check,
    "edit": _edit,
    "duplicate": _duplicate,
    "discard": _discard,
    **ONE_TIME,
}
