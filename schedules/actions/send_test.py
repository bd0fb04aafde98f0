"""Test: the content as it now is, to test rooms only. Drafts can be tested too."""

from collections.abc import Sequence
from copy import copy
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from channels.models import Room
from logs import history
from orgs.clock import database_now
from orgs.reach import Act, within
from schedules import rules
from schedules.actions.locked import lock
from schedules.actions.refusal import Refused
from schedules.actions.run_now import beside_the_second
from schedules.models import Run, Schedule
from schedules.runs.freeze import freeze, with_content
from schedules.runs.store import store
from schedules.states import OPEN_RUN, ScheduleState


@transaction.atomic
def send_test(schedule: Schedule, *, by: Any, rooms: Sequence[Room] | None = None) -> Run:
    """Send it now, once, to these test rooms; to all of its unit's, unless some are named."""
    row = lock(schedule, by=by, act=Act.RUN)
    if row.state == ScheduleState.CANCELLED or row.edits_id:
        raise Refused(
            _("A schedule that is “%(state)s” cannot be run.") % {"state": row.get_state_display()}
        )
    if row.runs.filter(trigger=Run.Trigger.TEST, state__in=OPEN_RUN).exists():
        raise Refused(_("It is being tested already. Wait for that to end."))
    tested = with_content(Schedule.objects.all()).get(pk=row.pk)
    tested = _without_audience(tested)
    targets = _rooms(row, rooms, by=by)
    found = _problems(tested, targets, by=by)
    if found:
        raise Refused(_("It cannot be tested as it is."), found)
    now = database_now()
    frozen = freeze(
        tested, beside_the_second(now), now=now, trigger=Run.Trigger.TEST, rooms=targets
    )
    run = store([frozen], now)[0]
    names = [room.name for room in targets]
    history.record("tested", row, by=by, now=now, unit_path=row.unit.path,
                   changes={"run": run.pk, "rooms": names})  # fmt: skip
    return run


def rooms_for_tests(schedule: Schedule, *, by: Any) -> QuerySet[Room]:
    """The test rooms of its unit that take messages, as far as this person may use them."""
    own = Room.objects.filter(unit=schedule.unit, kind=Room.Kind.TEST, is_active=True, left_at=None)
    return _usable(own.filter(account__is_active=True), by=by)


def _usable(rooms: QuerySet[Room], *, by: Any) -> QuerySet[Room]:
    return within(by, rooms, Act.USE).select_related("account", "unit").order_by("id")


def _without_audience(schedule: Schedule) -> Schedule:
    """So that its content is judged by, and goes to, the test rooms alone."""
    tested = copy(schedule)
    tested.audience = None
    return tested


def _rooms(row: Schedule, rooms: Sequence[Room] | None, *, by: Any) -> list[Room]:
    named = Room.objects.filter(pk__in=[room.pk for room in rooms or ()])
    targets = list(rooms_for_tests(row, by=by) if rooms is None else _usable(named, by=by))
    if not targets:
        message = _("There is no test room in its unit. Add one, or name others.")
        raise Refused(message, {"rooms": [message]})
    if any(room.kind != Room.Kind.TEST for room in targets):
        message = _("A test goes to test rooms only.")
        raise Refused(message, {"rooms": [message]})
    return targets


def _problems(tested: Schedule, rooms: Sequence[Room], *, by: Any) -> rules.Problems:
    content = rules.content_problems(tested, rooms)
    return rules.target_problems(tested, rooms, by=by) | content
