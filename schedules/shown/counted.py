"""What channels count of runs and schedules: who opened them, beside what we handed over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet, Sum

from channels.models import Account, DayCount, Label
from orgs.reach import within
from schedules.models import Delivery, Run, Schedule

SHOWN = 3  # months of a schedule


@dataclass(frozen=True)
class Counted:
    """By one account. Without a label: its channel's month had none left."""

    account: Account
    label: Label | None = None
    handed: int = 0  # messages of ours in the days that were counted
    days: Sequence[DayCount] = ()  # of a run: its account's whole day, for who manages that

    @property
    def channel(self) -> str:
        return str(self.account.adapter_class.label)

    @property
    def most(self) -> int:
        """So many labels its month has."""
        return self.account.adapter_class.labels_a_month

    @property
    def few(self) -> int:
        """Of fewer people the channel tells nothing."""
        return self.account.adapter_class.label_people

    @property
    def zone(self) -> str:
        return self.account.quota_zone


def counted_of_run(run: Run, *, by: Any) -> list[Counted]:
    """For each account whose channel was to count it."""
    accounts = Account.objects.in_bulk([int(pk) for pk in run.labels])
    rows = within(by, Label.objects.filter(account__in=accounts, name__in=run.labels.values()))
    found = []
    for account in accounts.values():
        name = run.labels[str(account.pk)]
        day = max(run.due_at, run.planned_at).astimezone(ZoneInfo(account.quota_zone)).date()
        label = rows.filter(account=account, name=name, started_on__lte=day).first()
        if label or not name:
            days = within(by, DayCount.objects.filter(account=account, day=day))
            one = _counted(account, label, run.schedule)
            found.append(replace(one, days=list(days.select_related("account"))))
    return found


def counted_of_schedule(schedule: Schedule, *, by: Any) -> list[Counted]:
    """The latest months of its label, the newest first."""
    rows = within(by, Label.objects.filter(name=schedule.label_name).select_related("account"))
    latest: Iterable[Label] = rows.order_by("-started_on", "-id")[:SHOWN]
    return [_counted(label.account, label, schedule) for label in latest]


def _counted(account: Account, label: Label | None, schedule: Schedule) -> Counted:
    if label is None or label.counted_until is None:
        return Counted(account, label)
    return Counted(account, label, _handed(label, _together(schedule), label.counted_until))


def _together(schedule: Schedule) -> QuerySet[Schedule]:
    """The schedules that are counted under one label."""
    if not schedule.label:
        return Schedule.objects.filter(pk=schedule.pk)
    return Schedule.objects.filter(unit=schedule.unit_id, label=schedule.label, edits=None)


def _handed(label: Label, schedules: QuerySet[Schedule], until: date) -> int:
    """By person, as the channel counts: requests that it took, times the people of each."""
    zone = ZoneInfo(label.account.quota_zone)
    first, end = label.started_on, until + timedelta(days=1)
    start, stop = (datetime.combine(day, time(), zone) for day in (first, end))
    runs = Run.objects.filter(schedule__in=schedules, due_at__gte=start, due_at__lt=stop)
    sent = Delivery.objects.filter(run__in=runs, account_id=label.account_id, billed__gt=0)
    total: int | None = sent.aggregate(total=Sum(F("billed") * F("part")))["total"]
    return total or 0
