"""Counts billed messages into the days of their units, along with the tally's other figures: into
those on which the channel took them, as it counts them itself."""

from collections import defaultdict
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Sum
from django.db.models.functions import TruncMinute

from logs.models import Attempt, Billing, Tally
from orgs.clock import Month
from orgs.models import Unit
from orgs.reach import covers, lineage


def count_billed(after: int, up_to: int) -> None:
    """Add the attempts with these ids, each in its unit and in every unit above it. Inside the
    tally's transaction, which sees to it that each is counted once."""
    rows = Attempt.objects.filter(id__gt=after, id__lte=up_to, billed__gt=0).order_by()
    minute = TruncMinute("answered_at", tzinfo=UTC)  # no zone's day begins within one
    sums = list(rows.values_list("unit_path", minute).annotate(Sum("billed")))
    if not sums:
        return
    above = {path: lineage(path) for path, _minute, _messages in sums}
    units = Unit.objects.filter(path__in={path for paths in above.values() for path in paths})
    zones = {path: ZoneInfo(zone) for path, zone in units.values_list("path", "zone")}
    added: dict[tuple[str, date], int] = defaultdict(int)
    for path, answered_at, messages in sums:
        for unit_path in (p for p in above[path] if p in zones):
            added[unit_path, answered_at.astimezone(zones[unit_path]).date()] += messages
    days = [Billing(unit_path=path, day=day, messages=0) for path, day in added]
    Billing.objects.bulk_create(days, ignore_conflicts=True)
    for (path, day), messages in added.items():
        row = Billing.objects.filter(unit_path=path, day=day)
        row.update(messages=F("messages") + messages)


def billed_of_units(paths: list[str], month: Month, zone: ZoneInfo) -> dict[str, int]:
    """By path, how many messages of this month were billed for each unit and those under it."""
    # Before the days are read: what is counted meanwhile counts twice, rather than never.
    tally = Tally.objects.only("counted_id").first()
    first = month.start.astimezone(zone).date()
    last = (month.end - timedelta(seconds=1)).astimezone(zone).date()
    days = Billing.objects.filter(unit_path__in=paths, day__range=(first, last)).order_by()
    found = defaultdict(int, dict(days.values_list("unit_path").annotate(Sum("messages"))))
    newer = Attempt.objects.filter(id__gt=tally.counted_id if tally else 0, billed__gt=0)
    newer = newer.filter(answered_at__gte=month.start, answered_at__lt=month.end).order_by()
    for path, messages in newer.values_list("unit_path").annotate(Sum("billed")):
        for above in paths:
            found[above] += messages if covers(above, path) else 0
    return dict(found)
