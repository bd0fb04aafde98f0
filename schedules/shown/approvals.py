"""What waits for approval, as those see it who answer, and as its author does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from orgs.reach import Act, within
from schedules.models import Approval, Schedule
from schedules.states import ScheduleState


@dataclass(frozen=True)
class Standing:
    """How a schedule stands with its approvers. `review_url`: where the viewer answers."""

    words: str
    is_bad: bool = False
    review_url: str = ""


def questions_for(user: Any) -> Any:
    """What waits for an answer that this person may give, or somebody beside them."""
    rows = within(user, Approval.objects.waiting(), Act.APPROVE)
    return rows.select_related("unit", "asked_by", "schedule__unit")


def standing_of(schedule: Schedule, user: Any) -> Standing | None:
    """None where nothing is to be said of an approval."""
    asked: Approval | None = getattr(schedule, "approval", None)
    if asked is None:
        return None
    if schedule.state == ScheduleState.WAITING:
        return Standing(_waits_in_words(asked), review_url=_review_url(asked, user))
    if schedule.state == ScheduleState.EXPIRED and asked.verdict == Approval.Verdict.NONE:
        return Standing(_("Its time came, and nobody had approved it."), is_bad=True)
    if schedule.state == ScheduleState.DRAFT and asked.verdict == Approval.Verdict.REFUSED:
        said = {"who": asked.answered_by or "–", "note": asked.note}
        words = _("%(who)s has refused it: “%(note)s”. Mend it, and register it once more.")
        return Standing(words % said, is_bad=True)
    return None


def answer_of(asked: Approval, now: datetime) -> str:
    """By when an answer is wanted, where that is soon passed."""
    due_at = asked.schedule.next_due_at
    if due_at is None:
        return _("It is sent as soon as it is approved.")
    return _("Its time has come.") if due_at <= now else ""


def _waits_in_words(asked: Approval) -> str:
    return _("It waits for an approver of %(unit)s, or above. Until then nothing is sent.") % {
        "unit": asked.unit
    }


def _review_url(asked: Approval, user: Any) -> str:
    may = within(user, Approval.objects.filter(pk=asked.pk), Act.APPROVE).exists()
    return reverse("admin:schedules_approval_change", args=[asked.pk]) if may else ""
