"""The queue of what waits for approval: each question with all of it that is sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from channels.models import Image, Room
from orgs.reach import within
from schedules.actions.approve import is_own
from schedules.models import Approval, Schedule
from schedules.placeholders import names
from schedules.shown.approvals import questions_for
from schedules.shown.coming import words

NAMED = 3  # rooms of a line
EXCERPT = 300  # characters; the rest is unfolded


@dataclass(frozen=True)
class Line:
    """One question. `rooms` are the names of the first ones within the viewer's reach."""

    asked: Approval
    is_own: bool  # others answer it
    rooms: list[str]
    rhythm: str

    @property
    def schedule(self) -> Schedule:
        found: Schedule = self.asked.schedule
        return found

    @property
    def text(self) -> str:
        return str(self.asked.facts["text"])

    @property
    def is_long(self) -> bool:
        return len(self.text) > EXCERPT

    @property
    def excerpt(self) -> str:
        return self.text[:EXCERPT]

    @property
    def images(self) -> list[Image]:
        return [row.image for row in self.schedule.schedule_images.all()]

    @property
    def where(self) -> str:
        """Its audience, or its rooms as far as they fit."""
        if self.schedule.audience:
            return str(self.schedule.audience)
        more = len(self.asked.facts["rooms"]) - len(self.rooms)
        said = ", ".join(self.rooms)
        if not more:
            return said
        return _("%(rooms)s and %(count)d more") % {"rooms": said, "count": more} if said else ""

    @property
    def is_all_here(self) -> bool:
        """Whether this line shows all of it: then it can be answered without opening it. A text
        that each room has its own of, and what single times change, stand on its page."""
        return not self.asked.facts["changes"] and not names(self.text)


def queue(user: Any, *, mine: bool) -> QuerySet[Approval]:
    """What waits, the soonest send first; `mine`: without what others must answer."""
    rows: QuerySet[Approval] = questions_for(user).select_related("schedule__audience")
    if mine:
        rows = rows.exclude(Q(schedule__registered_by=user.pk) | Q(asked_by=user.pk))
    return rows.prefetch_related("schedule__schedule_images")


def lines_of(questions: Iterable[Approval], *, by: Any, now: datetime) -> list[Line]:
    """One for each, in so many queries however many there are."""
    questions = list(questions)
    firsts = {asked.pk: asked.facts["rooms"][:NAMED] for asked in questions}
    wanted = Room.objects.filter(pk__in={pk for first in firsts.values() for pk in first})
    named = dict(within(by, wanted).values_list("pk", "name"))
    return [
        Line(
            asked,
            is_own(asked, by),
            [named[pk] for pk in firsts[asked.pk] if pk in named],
            words(asked.schedule, now),
        )
        for asked in questions
    ]
