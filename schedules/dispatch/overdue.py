"""Overdue: what should have left, and no person keeps it from leaving."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from channels.models import Account
from orgs.models import Unit
from orgs.reach import under
from schedules.dispatch.frozen import frozen_now
from schedules.models import Delivery
from schedules.models.delivery import DeliveryQuerySet


def overdue(now: datetime, *, by: timedelta = timedelta()) -> DeliveryQuerySet:
    """Planned, and due for as long as that. What a freeze, a pause or a stopped account holds is
    due when it may be no later: then it is skipped."""
    due = Delivery.objects.due(now - by)
    grace = timedelta(seconds=settings.TEIJI_GRACE_SECONDS)
    return due.exclude(pk__in=_held(due).filter(next_try_at__gte=now - by - grace).values("pk"))


def _held(due: DeliveryQuerySet) -> DeliveryQuerySet:
    stopped, frozen = Account.objects.filter(stopped_at__isnull=False), frozen_now()
    accounts = Q(account__in=stopped) | Q(account__in=frozen.accounts)
    held = due.filter(accounts | Q(run__in=frozen.runs))
    for unit in Unit.objects.filter(path__in=frozen.units):
        held |= under(unit, due)
    return held
