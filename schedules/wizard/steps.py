"""The steps, how far each is, and where each leads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from schedules import rules
from schedules.models import Schedule
from schedules.rules import STEPS, Problems

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


def neighbour(step: str, distance: int) -> str:
    """The step before or after."""
    place = ORDER.index(step) + distance
    return ORDER[min(max(place, 0), len(ORDER) - 1)]


def url_of(draft: Schedule, step: str) -> str:
    return reverse("wizard-step", args=[draft.pk, step])


def schedule_url(schedule_id: int) -> str:
    """The schedule's own page."""
    return reverse("admin:schedules_schedule_change", args=[schedule_id])
