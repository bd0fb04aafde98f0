"""What the channels of a request say of its message. They are asked before an Idempotency-Key, or a
batch of all or nothing, opens the transaction in which the request is carried out."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from config.scoped.api import ScopedViewSet
from config.scoped.once import is_answered
from orgs.clock import database_now
from schedules import actions
from schedules.dispatch.rehearse import Heard, can_ask_any, hear, remember
from schedules.dispatch.samples import Sample
from schedules.models import Schedule

Rehearsal = Callable[[], list[Sample]]


class RehearsingViewSet(ScopedViewSet):
    """Asks about what its requests would register."""

    rehearsed: ClassVar[frozenset[str]] = frozenset()  # the actions that register, or change
    heard: Sequence[Heard] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action not in self.rehearsed:
            return
        # A body that cannot be read is refused here: read once more, it would look empty.
        if request.data is not None and can_ask_any() and not is_answered(request):
            self.heard = hear(*(_questions(rehearsal) for rehearsal in self.rehearsals()))

    def rehearsals(self) -> Sequence[Rehearsal]:
        """For each schedule that the request would register, what finds the questions about it."""
        raise NotImplementedError

    def heard_each(self, count: int) -> list[Heard]:
        """What was heard of each of so many schedules."""
        return list(self.heard) if len(self.heard) == count else [Heard()] * count


def as_heard(heard: Heard, act: Callable[[], Schedule]) -> Schedule:
    """Carry the act out, unless a channel refuses what it would send; who was not heard is known
    with the schedule. Raises Refused."""
    if heard.problems:
        raise actions.Refused(_("The schedule cannot be registered yet."), heard.problems)
    schedule = act()
    remember(schedule, heard, database_now())
    return schedule


def _questions(rehearsal: Rehearsal) -> list[Sample]:
    """None where the request will be refused anyway: with which words, says its act."""
    with suppress(APIException, Http404, actions.Refused):
        return rehearsal()
    return []
