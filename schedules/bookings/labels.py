"""Labels: under which names the channels count what people did with the messages of a run.

A channel counts so many different ones in a month. Each takes a number, which a constraint gives
once, whoever plans. Where none is left the messages go uncounted, and the run says so: a label is
never a reason for a message not to be sent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Max

from channels.models import Account, Label, QuotaReading
from channels.models.label import COUNTED_DAYS
from orgs.bulk import update_each
from orgs.clock import month_around
from schedules.models import Delivery, Run
from schedules.states import DeliveryState, RunState

TRIES = 5  # of numbers that others may take at the same moment
DAY = timedelta(days=1)


class Planned(NamedTuple):
    """A run that is going to be written. One to an audience brings no deliveries, but the time to
    which quiet hours have moved it, if they have."""

    run: Run
    accounts: Mapping[int, Account]
    deliveries: Sequence[Delivery]
    slot_at: datetime | None


class Key(NamedTuple):
    """One label of one month."""

    account_id: int
    month: date
    name: str


def label_runs(planned: Iterable[Planned]) -> None:
    """Label what these runs will send, before they are written. Two to five questions, however
    many runs; none where no channel counts."""
    wanted = [
        (one, account, _labels(one, account)) for one in planned for account in _labelling(one)
    ]
    granted = book([label for _one, _account, labels in wanted for label in labels])
    for one, account, labels in wanted:
        # Uncounted in one of its months, it is in none: its messages share what they say.
        name = labels[0].name if {_key(label) for label in labels} <= granted else ""
        one.run.labels[str(account.pk)] = name
        if name:
            _stamp(one, account, name)


def book(labels: Sequence[Label]) -> set[Key]:
    """Write those that are new, as long as their months have numbers. Those that are there."""
    wanted = {_key(label): label for label in labels}
    found = _known(wanted)
    for _try in range(TRIES if len(found) < len(wanted) else 0):
        new = _numbered([label for key, label in wanted.items() if key not in found])
        if not new:
            break
        Label.objects.bulk_create(new, ignore_conflicts=True)
        _end_earlier(new)
        found = _known(wanted)
    return found


def _labelling(one: Planned) -> list[Account]:
    """The accounts whose channel will tell something of this run."""
    if one.run.state != RunState.PLANNED:
        return []
    found = []
    for account in one.accounts.values():
        channel = account.adapter_class
        if channel.labels_a_month and _people(one, account) >= channel.label_people:
            found.append(account)
    return found


def _people(one: Planned, account: Account) -> int:
    """How many it reaches by this account; to an audience, as far as is known."""
    run = one.run
    if run.schedule.audience_id:
        return account.adapter_class.label_people if run.expected is None else run.expected
    return sum(delivery.billed for delivery in _going(one, account))


def _going(one: Planned, account: Account) -> Iterator[Delivery]:
    going = (d for d in one.deliveries if d.state == DeliveryState.PLANNED)
    return (delivery for delivery in going if delivery.account_id == account.pk)


def _labels(one: Planned, account: Account) -> list[Label]:
    """One for each month in which something of it leaves: quiet hours may move it into the next,
    in some rooms or in all."""
    run, zone = one.run, ZoneInfo(account.quota_zone)
    moments = [delivery.next_try_at for delivery in _going(one, account)]
    first: dict[date, date] = {}
    for moment in sorted(moments or [one.slot_at or run.due_at]):
        day = max(moment, run.planned_at).astimezone(zone).date()  # what is late goes now
        first.setdefault(day.replace(day=1), day)
    return [
        Label(
            account=account,
            unit_path=run.unit_path,
            month=month,
            name=run.schedule.label_name,
            started_on=day,
            ends_on=day + COUNTED_DAYS,
        )
        for month, day in first.items()
    ]


def _key(label: Label) -> Key:
    return Key(label.account_id, label.month, label.name)


def _known(wanted: Mapping[Key, Label]) -> set[Key]:
    if not wanted:
        return set()
    accounts, months, names = (set(column) for column in zip(*wanted, strict=True))
    rows = Label.objects.filter(account_id__in=accounts, month__in=months, name__in=names)
    stored = {Key(*row) for row in rows.values_list("account_id", "month", "name")}
    return stored & wanted.keys()


def _numbered(labels: Sequence[Label]) -> list[Label]:
    """Those for which there are numbers, in one order for all who plan."""
    accounts = {label.account_id for label in labels}
    months = {label.month for label in labels}
    rows = Label.objects.filter(account_id__in=accounts, month__in=months).order_by()
    numbers = rows.values_list("account_id", "month").annotate(Max("number"))
    last = {(account_id, month): number for account_id, month, number in numbers}
    readings = QuotaReading.objects.filter(account_id__in=accounts).in_bulk(field_name="account_id")
    numbered = []
    for label in sorted(labels, key=_key):
        place = label.account_id, label.month
        number = last.get(place, 0) + 1
        if number <= _most(label, readings.get(label.account_id)):
            label.number = last[place] = number
            numbered.append(label)
    return numbered


def _most(label: Label, reading: QuotaReading | None) -> int:
    """How many of its month are for us."""
    of_channel = label.account.adapter_class.labels_a_month
    if reading is None:
        return of_channel
    zone = ZoneInfo(label.account.quota_zone)
    first = datetime.combine(label.month, datetime.min.time(), zone)
    return of_channel - reading.foreign_labels_of(month_around(first, zone.key))


def _end_earlier(new: Sequence[Label]) -> None:
    """What a name counts from now on belongs to its new month."""
    begins = {(label.account_id, label.name): label.started_on for label in new}
    accounts, names = (set(column) for column in zip(*begins, strict=True))
    overlapping = Label.objects.filter(
        account_id__in=accounts, name__in=names, ends_on__gte=min(begins.values())
    )
    ends = [
        (begins[row.account_id, row.name] - DAY, row.pk)
        for row in overlapping
        if row.started_on < begins.get((row.account_id, row.name), date.min) <= row.ends_on
    ]
    update_each(Label, ["ends_on"], ends)


def _stamp(one: Planned, account: Account, name: str) -> None:
    labelled, payloads = account.adapter_class.labelled, one.run.payloads
    shared = payloads.get(str(account.pk))
    if shared:
        payloads[str(account.pk)] = [labelled(payload, name) for payload in shared]
    for delivery in one.deliveries:
        if delivery.account_id == account.pk and delivery.own_payloads:
            delivery.own_payloads = [labelled(payload, name) for payload in delivery.own_payloads]
