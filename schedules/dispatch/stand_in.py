"""Stand in: who has become a deputy while an approval waits is asked about it as well, once the
first of their days has come."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from channels.models import OwnNotice
from orgs.models import Deputy
from schedules import results
from schedules.models import Approval, Installation

AT_ONCE = 500


def ask_deputies(now: datetime) -> int:
    """Returns of how many questions somebody was told. Each worker may do so: of one, one does."""
    if Installation.objects.fenced():
        return 0
    rows = Approval.objects.waiting().filter(Exists(_unasked(now)))
    return sum(_ask(pk, now) for pk in list(rows.values_list("pk", flat=True)[:AT_ONCE]))


def _unasked(now: datetime) -> QuerySet[Deputy]:
    told = OwnNotice.objects.filter(
        approval_id=OuterRef(OuterRef("pk")), user=OuterRef("member__user")
    )
    asker, owner = (Coalesce(OuterRef(name), 0) for name in ("asked_by", "schedule__registered_by"))
    there = Deputy.objects.current(now).filter(unit=OuterRef("unit"), member__user__is_active=True)
    others = there.exclude(member__user=asker).exclude(member__user=owner)
    return others.filter(~Exists(told))


@transaction.atomic
def _ask(pk: int, now: datetime) -> bool:
    # Locked: an answer takes the questions back, and none may come after it.
    rows = Approval.objects.waiting().select_for_update(of=("self",), skip_locked=True)
    asked = rows.select_related("unit", "schedule__unit").filter(pk=pk).first()
    if asked is None:
        return False
    results.note_climbed(asked.schedule, asked, [asked.unit], now)
    return True
