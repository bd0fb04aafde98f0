"""Which draft an address means: what is out of reach and what does not exist answer alike."""

from typing import Any

from django.http import Http404, HttpRequest

from orgs.models import Unit
from orgs.reach import Act, can_anywhere, member_of, within
from schedules.models import Schedule
from schedules.states import ScheduleState
from schedules.wizard.forms.target import units_of


class RegisteredAlready(Exception):  # noqa: N818 - it is an answer, not a fault
    """The address means a schedule that is no draft any more."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(schedule.pk)
        self.schedule = schedule


def draft_or_404(request: HttpRequest, pk: int) -> Schedule:
    """The draft. Raises Http404, or RegisteredAlready."""
    rows = within(request.user, Schedule.objects.filter(deleted_at=None), Act.CHANGE)
    found = rows.select_related("unit", "edits").filter(pk=pk).first()
    if found is None:
        raise Http404
    if found.state != ScheduleState.DRAFT:
        raise RegisteredAlready(found)
    return found


def first_unit(user: Any) -> Unit:
    """The unit with which a new draft starts. Raises Http404 for who may not register."""
    if not can_anywhere(user, Act.CREATE, Schedule):
        raise Http404
    member = member_of(user)
    unit = member.unit if member else units_of(user).first()
    if unit is None:
        raise Http404
    return unit


def is_id(text: str) -> bool:
    """Whether a posted text can be the id of a row; longer ones no database holds."""
    return text.isdecimal() and len(text) < 19
