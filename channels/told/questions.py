"""Questions: approvals that are asked for, as notices for those whose answer is wanted. They are
there as long as the question waits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from channels.models import FactKind, NoticeChoice, OwnNotice
from channels.told.notices import for_person
from orgs.approvers import approvers_of
from orgs.models import Unit
from orgs.reach import Act, within


@dataclass(frozen=True)
class Question:
    """An approval, by value. `own_to`: users who do not answer it, for it is their own."""

    approval: int
    schedule: int
    title: str
    unit_path: str  # of the unit that is asked
    due_at: datetime | None
    own_to: Collection[int]


def ask(question: Question, of: Unit, now: datetime) -> None:
    """The approvers of this unit; who was asked before is asked anew. To be called in the
    transaction of what asks."""
    OwnNotice.objects.bulk_create(
        _notices(question, [of], now),
        update_conflicts=True,
        unique_fields=["user", "approval_id"],
        update_fields=["title", "unit_path", "due_at", "at", "read_at", "tell_at"],
    )


def ask_also(question: Question, of: Sequence[Unit], now: datetime) -> None:
    """Those of more units, upward; who was asked before is not disturbed."""
    OwnNotice.objects.bulk_create(_notices(question, of, now), ignore_conflicts=True)


def put_off(schedule: int, due_at: datetime) -> None:
    """The time of this one has passed, and it waits for the next."""
    _of(schedule).update(due_at=due_at)


def take_back(schedule: int) -> None:
    """This one does not wait any more: neither the bell nor a message tells of it. To be called in
    the transaction of what ends it."""
    _of(schedule).delete()


def still_answered(user: Any, rows: QuerySet[OwnNotice]) -> QuerySet[OwnNotice]:
    """Without the questions that this person may not answer any more."""
    asked = OwnNotice.objects.filter(user=user.pk, kind=FactKind.APPROVAL_ASKED)
    mine = within(user, asked, Act.APPROVE).order_by()
    return rows.filter(~Q(kind=FactKind.APPROVAL_ASKED) | Q(pk__in=mine.values("pk")))


def _of(schedule: int) -> QuerySet[OwnNotice]:
    return OwnNotice.objects.filter(schedule_id=schedule, approval_id__isnull=False)


def _notices(question: Question, of: Sequence[Unit], now: datetime) -> list[OwnNotice]:
    members = approvers_of(of, now, but=question.own_to)
    people = [member.user_id for member in members]
    choices = {row.user_id: row for row in NoticeChoice.objects.filter(user__in=people)}
    return [
        for_person(
            OwnNotice(
                user_id=member.user_id,
                approval_id=question.approval,
                schedule_id=question.schedule,
                kind=FactKind.APPROVAL_ASKED,
                title=question.title,
                unit_path=question.unit_path,
                due_at=question.due_at,
                at=now,
            ),
            choices.get(member.user_id),
            member.unit.zone,
            now,
        )
        for member in members
    ]
