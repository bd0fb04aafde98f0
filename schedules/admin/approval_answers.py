"""One answer to several questions of the queue. Each is answered by itself, as on its own page:
what is refused of one holds up no other."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.scoped.choices import is_id
from schedules import actions
from schedules.models import Approval, Schedule
from schedules.shown.approvals import questions_for

MOST = 100  # at once
NAMED = 5  # refused ones that are named one by one


def answer_ticked(request: HttpRequest) -> None:
    """Approve or refuse what is ticked, and tell what became of it."""
    ticked = _ticked(request)
    note, is_yes = request.POST.get("note", ""), request.POST.get("answer") == "approve"
    if not ticked:
        messages.error(request, _("Tick what you mean first."))
        return
    if not is_yes and not note.strip():
        messages.error(request, _("Write down why: its author must know what to mend."))
        return
    done, refused = 0, []
    for asked in questions_for(request.user).filter(pk__in=ticked):
        try:
            _answer(asked, ticked[asked.pk], by=request.user, is_yes=is_yes, note=note)
            done += 1
        except actions.Refused as error:
            refused.append((asked.schedule, error))
    gone = len(ticked) - done - len(refused)
    _tell(request, done, refused, gone, is_yes=is_yes)


def _ticked(request: HttpRequest) -> dict[int, str]:
    """The ids of the questions, and the digest of what the person saw of each."""
    values = (value.partition("@") for value in request.POST.getlist("row")[:MOST])
    return {int(pk): seen for pk, _at, seen in values if pk and is_id(pk)}


def _answer(asked: Approval, seen: str, *, by: Any, is_yes: bool, note: str) -> None:
    if is_yes:
        actions.approve(asked.schedule, by=by, seen=seen, note=note)
    else:
        actions.refuse(asked.schedule, by=by, note=note)


def _tell(
    request: HttpRequest,
    done: int,
    refused: list[tuple[Schedule, actions.Refused]],
    gone: int,
    *,
    is_yes: bool,
) -> None:
    if done and is_yes:
        said = ngettext("%(count)d is approved.", "%(count)d are approved.", done)
        messages.success(request, said % {"count": done})
    elif done:
        said = ngettext(
            "%(count)d goes back to its author with your note.",
            "%(count)d go back to their authors with your note.",
            done,
        )
        messages.success(request, said % {"count": done})
    for schedule, refusal in refused[:NAMED]:
        why = " ".join(word for words in refusal.problems.values() for word in words)
        messages.error(request, f"{schedule.title}: {why}")
    if len(refused) > NAMED:
        more = len(refused) - NAMED
        said = ngettext(
            "%(count)d more was not answered.", "%(count)d more were not answered.", more
        )
        messages.error(request, said % {"count": more})
    if gone:
        said = ngettext(
            "%(count)d does not wait for an answer any more.",
            "%(count)d do not wait for an answer any more.",
            gone,
        )
        messages.warning(request, said % {"count": gone})
