"""Results: what became of runs and approvals, as facts for others and as questions to approvers,
written with it in one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from channels import facts
from channels.models import Fact, FactKind
from channels.told import questions
from channels.told.questions import Question
from orgs.models import Unit
from schedules.models import Approval, Delivery, Run, Schedule
from schedules.states import DeliveryState, RunState

KINDS: dict[RunState, FactKind] = {
    RunState.SENT: FactKind.SENT,
    RunState.PARTIAL: FactKind.PARTIAL,
    RunState.FAILED: FactKind.FAILED,
    RunState.UNCONFIRMED: FactKind.UNCONFIRMED,
    RunState.SKIPPED: FactKind.SKIPPED,
}


def note(runs: Sequence[Run], to: RunState, totals: dict[str, int], now: datetime) -> None:
    """These runs have come to this state. What was a person's wish is no news to others."""
    kind = KINDS.get(to)
    if kind is None or not runs:
        return
    missed = _missed(runs) if kind == FactKind.SKIPPED else set()
    owners = _owners(runs)
    facts.note_all(
        Fact(
            kind=FactKind.MISSED if run.pk in missed else kind,
            unit_path=run.unit_path,
            at=now,
            data=_about(run, to, totals, now),
            owner_id=owners.get(run.schedule_id),
        )
        for run in runs
    )


def note_skipped(planned: Iterable[Run], now: datetime) -> None:
    """Those of these that were planned as skipped."""
    ids = [run.pk for run in planned]
    if not ids:
        return
    skipped = Run.objects.filter(pk__in=ids, state=RunState.SKIPPED).order_by("id")
    alike: dict[int, list[Run]] = defaultdict(list)
    for run in skipped.defer("payloads", "content"):
        alike[run.skipped].append(run)
    for count, runs in alike.items():
        note(runs, RunState.SKIPPED, {"skipped": count}, now)


def note_asked(schedule: Schedule, asked: Approval, now: datetime) -> None:
    """The approvers of a unit are asked about a schedule."""
    data = _about_approval(schedule, asked.unit)
    facts.note(FactKind.APPROVAL_ASKED, schedule.unit.path, data, now)
    questions.ask(_question(schedule, asked), asked.unit, now)


def note_climbed(schedule: Schedule, asked: Approval, to: Sequence[Unit], now: datetime) -> None:
    """Nobody has answered: the approvers of these units, above, are asked too."""
    questions.ask_also(_question(schedule, asked), to, now)


def note_answered(schedule: Schedule, asked: Approval, now: datetime) -> None:
    """An approver has let a schedule go, or has given it back to whoever asked; it is given as it
    was until then."""
    is_yes = asked.verdict == Approval.Verdict.APPROVED
    kind = FactKind.APPROVED if is_yes else FactKind.APPROVAL_REFUSED
    data = _about_approval(schedule, asked.unit) | {"note": asked.note}
    owner = asked.asked_by_id or schedule.registered_by_id
    facts.note(kind, schedule.unit.path, data, now, owner=owner)


def _question(schedule: Schedule, asked: Approval) -> Question:
    return Question(
        approval=asked.pk,
        schedule=schedule.pk,
        title=schedule.title,
        unit_path=asked.unit.path,
        due_at=schedule.next_due_at,
        own_to={pk for pk in (schedule.registered_by_id, asked.asked_by_id) if pk},
    )


def _about_approval(schedule: Schedule, of: Unit) -> dict[str, Any]:
    return {
        "schedule": schedule.pk,
        "title": schedule.title,
        "approving_unit": of.code,
        "next_due_at": facts.written(schedule.next_due_at),
        "link": f"{settings.TEIJI_PUBLIC_URL}/admin/schedules/schedule/{schedule.pk}/change/",
    }


def _about(run: Run, to: RunState, totals: dict[str, int], now: datetime) -> dict[str, Any]:
    return {
        "run": run.pk,
        "schedule": run.schedule_id,
        "title": run.title,
        "trigger": run.trigger,
        "state": to.value,
        "reason": run.reason,
        "due_at": facts.written(run.due_at),
        "zone": run.zone,
        "ended_at": facts.written(now),
        "recipients": run.recipients,
        "deliveries": {
            "total": run.total,
            **{name: totals.get(name, 0) for name in ("sent", "failed", "unconfirmed", "skipped")},
        },
        "link": f"{settings.TEIJI_PUBLIC_URL}/admin/schedules/run/{run.pk}/change/",
    }


def _missed(runs: Sequence[Run]) -> set[int]:
    """Those whose time passed while nothing could be sent."""
    whole = {run.pk for run in runs if run.reason == Run.Reason.MISSED}
    of_rooms = Delivery.objects.filter(
        run__in=runs, state=DeliveryState.SKIPPED, reason=Delivery.Reason.MISSED
    )
    return whole | set(of_rooms.order_by().values_list("run_id", flat=True).distinct())


def _owners(runs: Sequence[Run]) -> dict[int, int | None]:
    schedules = Schedule.objects.filter(pk__in={run.schedule_id for run in runs})
    return dict(schedules.values_list("pk", "registered_by_id"))
