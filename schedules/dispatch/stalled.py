"""Stalled: what should long have gone and has no final state. It must never be; if it is, people
are told."""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import Count, Min
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind, Event
from schedules.dispatch.overdue import overdue
from schedules.models import Delivery, Installation
from schedules.states import DeliveryState

STALLED_AFTER = timedelta(minutes=15)
UNITS = 200


def look(now: datetime) -> int:
    """Raise an alert for each unit with deliveries that are overdue by so long. Returns how many.

    A retry, and the next part of several, are due at their own time; what a person holds is not.
    Behind a fence nothing is overdue: that is told by itself.
    """
    if Installation.objects.fenced():
        return 0
    waits = overdue(now, by=STALLED_AFTER)
    sending = Delivery.objects.filter(state=DeliveryState.SENDING).order_by()
    left = sending.filter(lease_until__lte=now - STALLED_AFTER)
    if not (waits.exists() or left.exists()):
        return 0
    rows = (waits | left).values("unit_path")
    found = rows.annotate(count=Count("id"), first=Min("id"), since=Min("due_at"))[:UNITS]
    events = [
        Event(
            kind=AlertKind.STALLED,
            subject="sending",
            unit_path=row["unit_path"],
            # As long as the same one is the oldest, it is the same trouble.
            key=f"{AlertKind.STALLED}:{row['unit_path']}:{row['first']}",
            name="",
            text=partial(_words, row["count"]),
            at=row["since"],
            count=row["count"],
        )
        for row in found
    ]
    alerts.raise_all(events, now)
    return len(events)


def _words(count: int) -> str:
    words = _("%(count)d messages have been due since then, and were not sent.")
    return words % {"count": count}
