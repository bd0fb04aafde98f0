"""Invariants: what must hold of the log whatever happened. Looked at each minute; what does not
hold is told to people, and is a fault of ours."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind, Event
from channels.models import Account
from logs.models import Attempt, History
from schedules.dispatch.evidence import BY_HAND
from schedules.dispatch.sweep import accounts_able
from schedules.models import Delivery, Run
from schedules.states import DeliveryState

BACK = timedelta(minutes=3)  # a look is missed where a worker has just died
# Between when it was to leave and its last try by a machine; what a person sends again is not seen.
LONGEST = timedelta(minutes=30)
MOST = 50
LOOKED_AT = 1000  # without an accepted try: most of them the channel has confirmed when asked

Outcome = Attempt.Outcome


def look(now: datetime) -> int:
    """Raise an alert for each delivery of the last minutes of which the log cannot be true.
    Returns how many."""
    events = [*_of_unproven(now), *_of_doubled(now)]
    alerts.raise_all(events, now)
    return len(events)


def _of_unproven(now: datetime) -> Iterable[Event]:
    """Sent, and no try of which it is known. Where the answer was lost a person may have said
    that it arrived, or the channel, if it can be asked."""
    tries = Attempt.objects.filter(delivery_id=OuterRef("pk"))
    within = (now - LONGEST, now + BACK)
    recent = Delivery.objects.filter(Q(due_at__range=within) | Q(slot_at__range=within))
    sent = recent.filter(
        state__in=(DeliveryState.SENT, DeliveryState.CONFIRMED), completed_at__gte=now - BACK
    )
    ours = sent.filter(crashes=0).exclude(run__trigger=Run.Trigger.IMPORTED)
    unproven = ours.filter(~Exists(tries.filter(outcome=Outcome.ACCEPTED))).order_by()
    light = unproven.select_related("account").defer("members", "own_payloads")
    rows = list(light.annotate(is_lost=Exists(tries.filter(outcome=Outcome.UNKNOWN)))[:LOOKED_AT])
    said = _by_hand((row.pk for row in rows), ("arrived",))
    asked = accounts_able([row for row in rows if row.is_lost], "confirms")
    known = {row.pk for row in rows if row.pk in said or (row.is_lost and row.account_id in asked)}
    broken = [row for row in rows if row.pk not in known]
    return [_event("unproven", row, now) for row in broken[:MOST]]


def _of_doubled(now: datetime) -> Iterable[Event]:
    """Two tries of one part that the channel took for new. Where an account or a person has
    asked for that, it is no fault."""
    accepted = Attempt.objects.filter(outcome=Outcome.ACCEPTED, already=False)
    earlier = accepted.filter(
        delivery_id=OuterRef("delivery_id"), part=OuterRef("part"), id__lt=OuterRef("id")
    )
    recent = accepted.filter(answered_at__gte=now - BACK, answered_at__lte=now + BACK)
    ids = recent.filter(Exists(earlier)).order_by().values_list("delivery_id", flat=True)[:MOST]
    rows = Delivery.objects.filter(pk__in=list(ids))
    ours = list(rows.filter(~Q(account__on_unknown=Account.OnUnknown.RESEND)))
    said = _by_hand((row.pk for row in ours), BY_HAND)
    for row in ours:
        if row.pk not in said:
            yield _event("doubled", row, now)


def _by_hand(ids: Iterable[int], verbs: Iterable[str]) -> set[int]:
    """Of which a person has said so."""
    named = [str(pk) for pk in ids]
    entries = History.objects.filter(kind="delivery", verb__in=verbs, object_id__in=named)
    return set(map(int, entries.values_list("object_id", flat=True))) if named else set()


WORDS: dict[str, Callable[[], str]] = {
    "unproven": lambda: _("%(room)s: it is “sent”, and no try of it was accepted."),
    "doubled": lambda: _("%(room)s: its channel has accepted the same message twice."),
}


def _event(what: str, row: Delivery, now: datetime) -> Event:
    return Event(
        kind=AlertKind.BROKEN,
        subject="log",
        unit_path=row.unit_path,
        key=f"{AlertKind.BROKEN}:{what}:{row.pk}",
        name="",
        text=lambda: WORDS[what]() % {"room": row.room_name},
        at=row.due_at,
    )
