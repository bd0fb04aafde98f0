"""The steps, how far each is, and where each leads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from schedules import rules
from schedules.models import Run, Schedule
from schedules.recurrence import Kind
from schedules.rules import STEPS, Problems
from schedules.shown.preflight import preflight_of
from schedules.states import RunState

TITLES = {
    "target": _("Target"),
    "content": _("Message"),
    "timing": _("Timing"),
    "review": _("Review"),
}
ORDER = tuple(TITLES)


@dataclass(frozen=True)
class Step:
    """One step as the bar at the top shows it."""

    name: str
    number: int
    title: Any
    url: str
    is_current: bool
    is_complete: bool


def steps_of(draft: Schedule, found: Problems, current: str) -> list[Step]:
    """All steps; complete is one whose fields have no problem."""
    return [
        Step(
            name=name,
            number=number,
            title=title,
            url=url_of(draft, name) if draft.pk else "",
            is_current=name == current,
            is_complete=bool(draft.pk) and name in STEPS and not problems_of(found, name),
        )
        for number, (name, title) in enumerate(TITLES.items(), start=1)
    ]


def problems_of(found: Problems, step: str) -> Problems:
    """Those of this step's fields."""
    return {name: found[name] for name in STEPS.get(step, ()) if name in found}


def step_of(field: str) -> str:
    """The step in which a field is filled in."""
    return next((step for step, names in STEPS.items() if field in names), "review")


def all_problems(draft: Schedule, *, by: Any, now: datetime) -> Problems:
    """What the act of registering would say."""
    return rules.problems(draft, by=by, now=now) if draft.pk else {}


def refused_of(draft: Schedule, now: datetime) -> Problems:
    """What a channel has refused of the draft as it is now, by field. It keeps nobody from
    registering: it is asked again."""
    found: Problems = {}
    for finding in preflight_of(draft, now).troubles if draft.pk else ():
        if finding.field:
            found.setdefault(finding.field, []).append(finding.words)
    return found


def neighbour(step: str, distance: int) -> str:
    """The step before or after."""
    place = ORDER.index(step) + distance
    return ORDER[min(max(place, 0), len(ORDER) - 1)]


def url_of(draft: Schedule, step: str) -> str:
    return reverse("wizard-step", args=[draft.pk, step])


def schedule_url(schedule_id: int) -> str:
    """The schedule's own page."""
    return reverse("admin:schedules_schedule_change", args=[schedule_id])


def done_url(done: Schedule, now: datetime) -> str:
    """Where it is seen; of what leaves in a moment, where it can be taken back."""
    run = leaving(done, now)
    return reverse("admin:schedules_run_change", args=[run.pk]) if run else schedule_url(done.pk)


def leaving(done: Schedule, now: datetime) -> Run | None:
    """The run of what goes "now", while it can still be taken back."""
    runs = done.runs.filter(kind=Kind.NOW.value, state=RunState.PLANNED, due_at__gt=now)
    found: Run | None = runs.first()
    return found
