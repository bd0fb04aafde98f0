"""Which of a schedule's accounts are stopped or inactive at this moment: what goes through them
would fail, or be skipped."""

from collections.abc import Collection

from django.db.models import Q

from channels.models import Account, Audience
from orgs.reach import under
from schedules.findings import Finding
from schedules.models import Schedule
from schedules.runs.halted import halted


def stopped_of(schedule: Schedule, known: Collection[Finding] = ()) -> list[Finding]:
    """As the look before a run would find it; without what stands among `known` already."""
    # What has left its unit is not sent to, and not told of.
    rooms = under(schedule.unit, schedule.rooms.all())
    audiences = under(schedule.unit, Audience.objects.filter(schedule=schedule))
    used = Account.objects.filter(Q(room__in=rooms) | Q(audience__in=audiences))
    rows = used.filter(Q(stopped_at__isnull=False) | Q(is_active=False))
    found = list(filter(None, map(halted, rows.distinct().order_by("id"))))
    said = {(one.what, one.facts.get("channel")) for one in known}
    return [one for one in found if (one.what, one.facts["channel"]) not in said]
