"""By hand: what is due is planned at once, by whoever may run it. The machine does it by itself."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from orgs.reach import Act, within
from schedules.actions import Refused
from schedules.dispatch.plan import plan
from schedules.models import Installation, Schedule


def plan_due(*, by: Any, now: datetime) -> int:
    """Plan each run that is due of what they may run; returns how many were. Raises Refused
    while sending is fenced."""
    if Installation.objects.fenced():
        raise Refused(_("All sending is stopped: an operator must lift the fence."))
    mine: Any = within(by, Schedule.objects.all(), Act.RUN)
    planned = 0
    while count := plan(now, mine):
        planned += count
    return planned
