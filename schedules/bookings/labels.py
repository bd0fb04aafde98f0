"""Labels: under which names the channels count what people did with the messages of a run.

A channel counts so many different ones in a month. Each takes a number, which a constraint gives
once, whoever plans. Where none is left the messages go uncounted, and the run says so: a label is
never a reason for a message not to be sent.
"""

from collections.abc import Iterable, Mapping, Sequence
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

Planned = tuple[Run, Mapping[int, Account], Sequence[Delivery]]


class Key(NamedTuple):
    """One label of one month."""

    account_id: int
    month: date
    name: str


def label_runs(planned: Iterable[Planned]) -> None:
    """Label what these runs will send, before they are written. Runs to an audience bring no
    deliveries. Two to five questions, however many runs; none where no channel counts."""
    wanted = [
        (one, account, _label(one[0], account))
        for one in planned
        for account in _labelling(*one)
    ]  # fmt: skip
    granted = book([label for _one, _account, label in wanted])
    for (run, _accounts, deliveries), account, label in wanted:
        name = label.name if _key(label) in granted else ""
        run.labels[str(account.pk)] = name
        if name:
            _stamp(run, deliveries, account, name)


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


def _labelling(
    run: Run, accounts: Mapping[int, Account], deliveries: Sequence[Delivery]
) -> list[Account]:
    """The accounts whose channel will tell something of this run."""
    if run.state != RunState.PLANNED:
        return []
    found = []
    for account in accounts.values():
        channel = account.adapter_class
        if channel.labels_a_month and _people(run, account, deliveries) >= channel.label_people:
            found.append(account)
    return found


def _people(run: Run, account: Account, deliveries: Sequence[Delivery]) -> int:
    """How many it reaches by this account; to an audience, as far as is known."""
    if run.schedule.audience_id:
        return account.adapter_class.label_people if run.expected is None else run.expected
    going = (d for d in deliveries if d.state == DeliveryState.PLANNED)
    return sum(d.billed for d in going if d.account_id == account.pk)


def _label(run: Run, account: Account) -> Label:
    zone = account.quota_zone
    moment = max(run.due_at, run.planned_at)  # what is late goes now
    day = moment.astimezone(ZoneInfo(zone)).date()
    return Label(
        account=account,
        unit_path=run.unit_path,
        month=day.replace(day=1),
        name=run.schedule.label_name,
        started_on=day,
        ends_on=day + COUNTED_DAYS,
    )


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


def _stamp(run: Run, deliveries: Sequence[Delivery], account: Account, name: str) -> None:
    labelled = account.adapter_class.labelled
    shared = run.payloads.get(str(account.pk))
    if shared:
        run.payloads[str(account.pk)] = [labelled(payload, name) for payload in shared]
    for delivery in deliveries:
        if delivery.account_id == account.pk and delivery.own_payloads:
            delivery.own_payloads = [labelled(one, name) for one in delivery.own_payloads]
