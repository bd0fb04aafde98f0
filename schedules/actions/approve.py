"""Approve and refuse: what an approver says to a schedule that waits."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind
from channels.told.questions import take_back
from logs import history
from orgs.clock import database_now
from orgs.reach import Act, covers, stands_in_for, within
from schedules import clearance, results, rules
from schedules.actions.clearing import clear, go
from schedules.actions.edit import take_over
from schedules.actions.locked import lock, lock_targets
from schedules.actions.refusal import Refused
from schedules.actions.replan import find_next
from schedules.models import Approval, Schedule
from schedules.models.approval import NOTE_LENGTH
from schedules.runs.freeze import with_content
from schedules.states import ScheduleState, move


@transaction.atomic
def approve(schedule: Schedule, *, by: Any, seen: str, note: str = "") -> Schedule:
    """Let it go exactly as `by` has seen it: `seen` is the digest of that. Whatever has changed
    since, also what its placeholders stand for, is another question."""
    row = lock(schedule, by=by, act=Act.APPROVE)
    asked = _question(row, by)
    facts = clearance.facts_of(with_content(Schedule.objects.all()).get(pk=row.pk))
    digest = clearance.digest_of(facts)
    if digest != seen:
        raise Refused(_("It has been changed since you looked at it."))
    lock_targets(row)
    now = database_now()  # after the locks: it may have waited for them
    if row.next_due_at and row.next_due_at <= now:
        raise Refused(_("Its time has come before the answer: this time it is not sent."))
    # The same may have been registered while this one waited.
    if found := rules.duplicate_problems(row, row.rooms.all(), now=now):
        raise Refused(_("The schedule cannot be approved as it is."), found)
    asked.facts, asked.digest = facts, digest
    _answer(asked, Approval.Verdict.APPROVED, by=by, now=now, note=_plain(note))
    clear(row, digest)
    Schedule.objects.filter(pk=row.pk).update(next_due_at=find_next(row, now))
    go(row, now)
    _record("approved", row, asked, by=by, now=now)
    row.refresh_from_db()
    results.note_answered(row, asked, now)
    return row


@transaction.atomic
def refuse(schedule: Schedule, *, by: Any, note: str) -> Schedule:
    """Give it back to its author as a draft, with a note that says why."""
    row = lock(schedule, by=by, act=Act.APPROVE)
    asked = _question(row, by)
    why = _plain(note)
    if not why:
        message = _("Write down why: its author must know what to mend.")
        raise Refused(message, {"note": [message]})
    now = database_now()
    _answer(asked, Approval.Verdict.REFUSED, by=by, now=now, note=why)
    for copy in row.drafts.all():  # what its author was changing goes on in the draft
        take_over(copy, row)
        row.save()
    move(Schedule.objects.filter(pk=row.pk), ScheduleState.DRAFT, next_due_at=None)
    _record("refused", row, asked, by=by, now=now)
    take_back(row.pk)
    results.note_answered(row, asked, now)
    facts = {"title": row.title, "who": by.get_username(), "note": why}
    alerts.raise_(
        AlertKind.REFUSED,
        f"refused:{row.unit_id}",
        row.unit.path,
        key=f"{AlertKind.REFUSED}:{row.pk}:{now.isoformat()}",
        name=row.unit.name,
        text=lambda: _("%(title)s: %(who)s has refused it: “%(note)s”") % facts,
        now=now,
    )
    row.refresh_from_db()
    return row


def is_own(asked: Approval, by: Any) -> bool:
    """Whether `by` has registered it, or was the last to change it."""
    return by.pk in (asked.schedule.registered_by_id, asked.asked_by_id)


def _question(row: Schedule, by: Any) -> Approval:
    """What waits for an answer that `by` may give. Raises Refused."""
    if row.state != ScheduleState.WAITING:
        raise Refused(_("It does not wait for approval any more."))
    asked = Approval.objects.select_related("unit", "schedule").get(schedule=row)
    if not within(by, Approval.objects.filter(pk=asked.pk), Act.APPROVE).exists():
        raise Refused(_("An approver of %(unit)s, or above, answers this.") % {"unit": asked.unit})
    if is_own(asked, by):
        raise Refused(_("Nobody approves what they have registered or changed themselves."))
    return asked


def _answer(asked: Approval, verdict: str, *, by: Any, now: datetime, note: str) -> None:
    asked.verdict, asked.note = verdict, note
    asked.answered_by, asked.answered_at, asked.answered_facts = by, now, asked.facts
    asked.save()


def _record(verb: str, row: Schedule, asked: Approval, *, by: Any, now: datetime) -> None:
    said = {"digest": asked.digest, "note": asked.note}
    if any(covers(path, asked.unit.path) for path in stands_in_for(by)):
        said["deputy_of"] = asked.unit.name
    history.record(verb, row, by=by, now=now, unit_path=row.unit.path, changes=said)


def _plain(note: str) -> str:
    return note.replace("\x00", "").strip()[:NOTE_LENGTH]
