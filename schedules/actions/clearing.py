"""From an act to what it leaves: a schedule that may send, or one that waits for approval."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind
from channels.told.questions import take_back
from logs import history
from orgs.models import Unit
from orgs.reach import Act, can_in
from schedules import clearance, results
from schedules.actions.refusal import Refused
from schedules.models import Approval, Run, Schedule
from schedules.recurrence import Kind
from schedules.runs.freeze import freeze, with_content
from schedules.runs.store import store
from schedules.states import ScheduleState, move


def asked_of(schedule: Schedule, by: Any) -> Unit | None:
    """The unit whose approvers must say yes to what `by` leaves of it; None where nobody must.
    An approver of it needs no approval; a deputy and the machine (None) do."""
    return asked_in(schedule.unit.path, by)


def asked_in(path: str, by: Any) -> Unit | None:
    """The same of what `by` leaves in the unit at `path`."""
    return asked_in_each([path], by).get(path)


def asked_in_each(paths: Collection[str], by: Any) -> dict[str, Unit]:
    """The same of several, by path, without those where nobody must."""
    demanding = Unit.objects.demanding(paths)
    return {path: unit for path, unit in demanding.items() if not _needs_nobody(by, unit)}


def _needs_nobody(by: Any, unit: Unit) -> bool:
    return by is not None and can_in(by, Act.APPROVE, Schedule, unit, as_deputy=False)


def go_or_ask(
    row: Schedule,
    *,
    by: Any,
    now: datetime,
    vouches: bool = True,
    after: timedelta = timedelta(),
) -> None:
    """Make it active if it is cleared, else let it wait for approval. The row is locked, and
    stands in the table as it is to be sent. `vouches`: whether `by` answers for all of it."""
    if (vouches and vouch(row, by=by)) or clearance.is_cleared(_stored(row)):
        go(row, now, after)
    else:
        ask(row, by=by, now=now)


def vouch(row: Schedule, *, by: Any) -> bool:
    """Clear it as it now stands, if `by` needs nobody's approval. Returns whether they did."""
    if asked_of(row, by) is not None:
        return False
    clear_as_it_is(row)
    return True


def clear_as_it_is(row: Schedule) -> None:
    """Let it go as the table has it: for what was let go, and now sends less."""
    clear(row, clearance.digest_of(clearance.facts_of(_stored(row))))


def clear(row: Schedule, digest: str) -> None:
    """Let it go as it is, and not otherwise."""
    row.cleared = digest
    Schedule.objects.filter(pk=row.pk).update(cleared=digest)


def go(row: Schedule, now: datetime, after: timedelta = timedelta()) -> None:
    """Active; "now" becomes a run at once, once; or so much later."""
    if row.state != ScheduleState.ACTIVE:
        _move(row, ScheduleState.ACTIVE)
    runs_now = row.timing_kind == Kind.NOW
    if runs_now and not row.runs.filter(trigger=Run.Trigger.TIMING).exists():
        store([freeze(_stored(row), now + after, now=now)], now)


def ask(row: Schedule, *, by: Any, now: datetime) -> Approval:
    """Let it wait, and ask about it as it now stands. `by` None: the machine has found that it
    is no longer what was approved; whose it is does not change by that."""
    unit = Unit.objects.demanding([row.unit.path])[row.unit.path]
    facts = clearance.facts_of(_stored(row))
    asked = {"unit": unit, "facts": facts, "digest": clearance.digest_of(facts), "asked_at": now}
    whose = {"asked_by": by or row.registered_by}
    fresh = {
        "verdict": "",
        "stage": Approval.Stage.ASKED,
        "note": "",
        "answered_at": None,
        "answered_by": None,
    }
    found, _is_new = Approval.objects.update_or_create(
        schedule=row,
        defaults=asked | fresh | (whose if by else {}),
        create_defaults=asked | whose,
    )
    if row.state != ScheduleState.WAITING:
        _move(row, ScheduleState.WAITING)
    about = {"digest": found.digest, "of": unit.name}
    history.record("asked", row, by=by, now=now, unit_path=row.unit.path, changes=about)
    alerts.raise_(
        AlertKind.APPROVAL,
        f"approvals:{unit.pk}",
        unit.path,
        key=f"{AlertKind.APPROVAL}:{row.pk}:{now.isoformat()}",
        name=unit.name,
        text=f"{row.unit}: {row.title}",
        now=now,
    )
    results.note_asked(row, found, now)
    return found


def _move(row: Schedule, to: ScheduleState) -> None:
    if not move(Schedule.objects.filter(pk=row.pk), to):
        raise Refused(_("The schedule has changed meanwhile. Load the page again."))
    if row.state == ScheduleState.WAITING:
        take_back(row.pk)
    row.state = to


def _stored(row: Schedule) -> Schedule:
    """As the table has it, with its rooms and images."""
    return with_content(Schedule.objects.all()).get(pk=row.pk)
