"""The hour at which most people open what they are sent: from what channels have counted.

A channel counts the people of a label, each once, however many messages went under it. So of a
label with one message the share is what was told; of one with several a message had at least that
number spread over all of them, and at most that number each.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from channels.adapters import registry
from channels.models import Label
from orgs.reach import within
from schedules.models import Delivery, Run, Schedule

LOOK_BACK = timedelta(days=180)
MOST_RUNS = 2_000  # the newest of those that were counted
LEAST_SENDS = 3  # of an hour that is compared: fewer say more of what was sent than of the hour
SURE = 2  # standard errors by which the best hour is ahead of each other one
DAY = timedelta(days=1)


class Why(models.TextChoices):
    """Why no hour is suggested."""

    NOTHING = "nothing_counted"
    LITTLE = "too_little"
    CLOSE = "too_close"


class LeftOut(models.TextChoices):
    """Why a label says nothing of an hour."""

    HOURS = "several_hours"
    WAITS = "not_counted_yet"


@dataclass
class Hour:
    """What was sent in one hour of the day, by the clock of each schedule, and opened."""

    hour: int
    sends: int = 0
    recipients: int = 0  # a person counts once for each message
    opened: int = 0  # as was told: at least so many of the recipients
    opened_at_most: int = 0

    @property
    def share(self) -> float:
        return self.opened / self.recipients

    @property
    def share_at_most(self) -> float:
        return self.opened_at_most / self.recipients

    @property
    def is_compared(self) -> bool:
        return self.sends >= LEAST_SENDS

    def beats(self, other: "Hour") -> bool:
        """Whether more opened it, by more than chance makes among so many people."""
        pairs = (self.share, self.recipients), (other.share_at_most, other.recipients)
        error = sqrt(sum(share * (1 - share) / people for share, people in pairs))
        return self.share - other.share_at_most > SURE * error


@dataclass(frozen=True)
class BestHour:
    """The hours of which something is known, and which is suggested; `why` none is."""

    since: datetime
    hours: Sequence[Hour]
    left_out: Counter[str]
    best: Hour | None
    why: str

    @property
    def begins(self) -> str:
        """On a clock; empty: none is suggested."""
        return f"{self.best.hour:02d}:00" if self.best else ""

    @property
    def words(self) -> str:
        if self.best:
            return _(
                "Messages were opened most from %(from)s to %(until)s: by %(share)d%% of "
                "%(people)s recipients, in %(sends)s runs."
            ) % {
                "from": self.begins,
                "until": f"{(self.best.hour + 1) % 24:02d}:00",
                "share": 100 * self.best.share,
                "people": f"{self.best.recipients:,}",
                "sends": f"{self.best.sends:,}",
            }
        return {
            Why.NOTHING: _("No channel has told yet how many people open messages there."),
            Why.LITTLE: _("Too little was sent at different hours to say which is the best."),
            Why.CLOSE: _("No hour is surely better than the others."),
        }[Why(self.why)]


class Send(NamedTuple):
    """One run by one account: to how many people, from when until when on its clock."""

    people: int
    first: datetime
    last: datetime


def best_hour(runs: QuerySet[Run], *, now: datetime) -> BestHour:
    """Of these runs, which are within reach."""
    since = (now - LOOK_BACK).replace(hour=0, minute=0, second=0, microsecond=0)
    hours, left_out = dict[int, Hour](), Counter[str]()
    for label, sends in _sends_by_label(runs, since).items():
        if reason := _why_not(label, sends):
            left_out[reason] += 1
        else:
            at = sends[0].first.hour
            _add(hours.setdefault(at, Hour(at)), label, sends)
    found = sorted(hours.values(), key=lambda hour: hour.hour)
    return BestHour(since, found, left_out, *_decide(found))


def best_hour_of(draft: Schedule, *, by: Any, now: datetime) -> BestHour | None:
    """For those to whom this draft goes; None where no channel of theirs counts."""
    kinds = [kind for kind, channel in registry().items() if channel.labels_a_month]
    audience = draft.audience
    to: dict[str, Any] = {"audience": audience} if audience else {"room__in": draft.rooms.all()}
    is_counted = (
        audience.account.kind in kinds
        if audience
        else draft.rooms.filter(account__kind__in=kinds).exists()
    )
    return best_hour(within(by, gone_to(Run.objects.all(), **to)), now=now) if is_counted else None


def gone_to(runs: QuerySet[Run], **to: Any) -> QuerySet[Run]:
    """Those with a delivery to these rooms, or to this audience."""
    return runs.filter(Exists(Delivery.objects.filter(run=OuterRef("pk"), **to)))


def _sends_by_label(runs: QuerySet[Run], since: datetime) -> dict[Label, list[Send]]:
    """The labels of these runs, each with all that was sent under it."""
    labelled = _labelled_with(runs, since)
    names = {name for _zone, labels in labelled.values() for name in labels.values() if name}
    known = defaultdict(list)
    rows = Label.objects.filter(name__in=names, started_on__gt=since.date())
    for label in rows.select_related("account"):  # the newest first
        known[label.account_id, label.name].append(label)
    found = defaultdict(list)
    for run_id, account_id, people, first, last in _handed_over(labelled):
        zone, labels = labelled[run_id]
        send = Send(people, *(at.astimezone(ZoneInfo(zone)) for at in (first, last)))
        for label in known[account_id, labels.get(str(account_id), "")]:
            if label.started_on <= _day(send.first, label):
                found[label].append(send)
                break
    return found


def _labelled_with(runs: QuerySet[Run], since: datetime) -> dict[int, tuple[str, dict[str, str]]]:
    """The zone and the labels of these runs, and of all that share a label with them."""
    newest = _counted(runs, since).order_by("-due_at", "-id").values_list("schedule", flat=True)
    schedules = Schedule.objects.filter(pk__in=set(newest[:MOST_RUNS]))
    ids, words, units = set(), set(), set()
    for pk, word, unit_id in schedules.values_list("pk", "label", "unit_id"):
        ids.add(pk)
        if word:
            words.add(word)
            units.add(unit_id)
    alike = Q(schedule__in=ids) | Q(schedule__label__in=words, schedule__unit__in=units)
    rows = _counted(Run.objects.filter(alike), since).values_list("pk", "zone", "labels")
    return {pk: (zone, labels) for pk, zone, labels in rows}


def _counted(runs: QuerySet[Run], since: datetime) -> QuerySet[Run]:
    return runs.filter(due_at__gte=since).exclude(labels={})


def _handed_over(run_ids: Iterable[int]) -> Iterable[tuple[Any, ...]]:
    """Of each run and account: to how many people, and when it left first and last."""
    taken = Delivery.objects.filter(run__in=list(run_ids), part__gt=0, billed__gt=0).order_by()
    leaves = Coalesce("slot_at", "due_at")
    return taken.values_list("run_id", "account_id").annotate(
        people=Sum("billed"), first=Min(leaves), last=Max(leaves)
    )


def _why_not(label: Label, sends: Sequence[Send]) -> str:
    hours = {at.hour for send in sends for at in (send.first, send.last)}
    if len(hours) > 1:
        return LeftOut.HOURS
    last = max(_day(send.last, label) for send in sends)
    until = label.counted_until
    # Else those in the evening would have had less time to be opened than those of the morning.
    if until is None or until < min(last + DAY, label.ends_on):
        return LeftOut.WAITS
    return ""


def _day(at: datetime, label: Label) -> Any:
    return at.astimezone(ZoneInfo(label.account.quota_zone)).date()


def _add(hour: Hour, label: Label, sends: Sequence[Send]) -> None:
    people = sum(send.people for send in sends)
    untold = label.account.adapter_class.label_people - 1  # or fewer
    opened, most = (0, untold) if label.opened is None else (label.opened, label.opened)
    hour.sends += len(sends)
    hour.recipients += people
    hour.opened += min(opened, people)
    hour.opened_at_most += min(most * len(sends), people)


def _decide(hours: Sequence[Hour]) -> tuple[Hour | None, str]:
    compared = [hour for hour in hours if hour.is_compared]
    if not hours:
        return None, Why.NOTHING
    if len(compared) < 2:
        return None, Why.LITTLE
    best = max(compared, key=lambda hour: hour.share)
    if all(best.beats(hour) for hour in compared if hour is not best):
        return best, ""
    return None, Why.CLOSE
