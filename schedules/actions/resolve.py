"""What a person decides about deliveries that may or may not have arrived."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from logs import history
from logs.models import History
from orgs.clock import database_now
from orgs.moments import written
from orgs.reach import Act, within
from schedules.actions.refusal import OutOfReach, Refused
from schedules.arrival import note_arrival
from schedules.models import Delivery, LeftOpen
from schedules.states import DeliveryState, ScheduleState, move
from schedules.totals import add_up

NOTE_LENGTH = 500
MOST_AT_ONCE = 200


class Verdict(StrEnum):
    ARRIVED = "arrived"
    SEND_AGAIN = "send_again"
    LEAVE = "leave"


IN_WORDS = {
    Verdict.ARRIVED: gettext_lazy("it arrived"),
    Verdict.SEND_AGAIN: gettext_lazy("it did not, send now"),
    Verdict.LEAVE: gettext_lazy("leave it"),
}


class NeedsSure(Refused):
    """It can be done, but only knowingly: the channel is still asked, or it is long past."""


@dataclass(frozen=True)
class Doubt:
    """A delivery, and its `completed_at` (ISO) as the person saw it: a verdict about an earlier
    doubt does not settle a newer one. Without: whatever it is now."""

    pk: int
    seen: str | None = None


@dataclass
class Resolved:
    """What became of many: each delivery is in one of the two."""

    decided: list[int] = field(default_factory=list)
    refused: dict[int, Refused] = field(default_factory=dict)


def resolve(
    delivery: Delivery,
    verdict: Verdict,
    *,
    by: Any,
    seen: str | None = None,
    note: str = "",
    sure: bool = True,
) -> Delivery:
    """As resolve_many, for one. Raises Refused."""
    doubts = [Doubt(delivery.pk, seen)]
    resolved = resolve_many(doubts, verdict, by=by, note=note, sure=sure)
    for refusal in resolved.refused.values():
        raise refusal
    return Delivery.objects.get(pk=delivery.pk)


@transaction.atomic
def resolve_many(
    doubts: Iterable[Doubt], verdict: Verdict, *, by: Any, note: str = "", sure: bool = True
) -> Resolved:
    """Settle unconfirmed deliveries by hand: they arrived; they did not, send now; or leave them.

    Each is decided for itself: one that is refused holds up no other. Without `sure`, what a
    person should be asked about once more is refused (NeedsSure).
    """
    asked = {doubt.pk: doubt for doubt in doubts}
    rows = _locked(asked, by)
    now = database_now()
    resolved = Resolved()
    for pk, doubt in asked.items():
        refusal = _refusal(rows.get(pk), doubt, verdict, now=now, sure=sure)
        if refusal:
            resolved.refused[pk] = refusal
            continue
        _settle(rows[pk], verdict, by=by, note=note[:NOTE_LENGTH], now=now)
        resolved.decided.append(pk)
    add_up({rows[pk].run_id for pk in resolved.decided}, now)
    return resolved


def settled_before(doubts: Iterable[Doubt], *, by: Any) -> dict[int, Refused]:
    """Who was faster, of those that are settled; nothing is changed."""
    asked = {doubt.pk: doubt for doubt in doubts}
    reached = within(by, Delivery.objects.filter(pk__in=list(asked)), Act.RUN)
    rows = reached.select_related("run__schedule").exclude(state=DeliveryState.UNCONFIRMED)
    return {row.pk: Refused(_decided_before(row)) for row in rows}


def _locked(asked: Iterable[int], by: Any) -> dict[int, Delivery]:
    """Those of them that this person may decide about, held in the order of their ids."""
    reached = within(by, Delivery.objects.filter(pk__in=list(asked)), Act.RUN)
    rows = reached.select_related("run__schedule").order_by("id")
    return {row.pk: row for row in rows.select_for_update(of=("self",))}


def _refusal(
    row: Delivery | None, doubt: Doubt, verdict: Verdict, *, now: datetime, sure: bool
) -> Refused | None:
    if row is None:
        return OutOfReach(_("There is no such delivery."))
    if row.state != DeliveryState.UNCONFIRMED:
        return Refused(_decided_before(row))
    seen = row.completed_at.isoformat() if row.completed_at else ""
    if doubt.seen is not None and doubt.seen != seen:
        return Refused(_("It was tried again since you looked. Look once more, then decide."))
    if verdict == Verdict.LEAVE:
        return _left_before(row)
    if verdict == Verdict.SEND_AGAIN and row.run.schedule.state == ScheduleState.CANCELLED:
        return Refused(_("Its schedule was cancelled: nothing of it is sent any more."))
    warning = "" if sure else _warning(row, verdict, now)
    return NeedsSure(warning) if warning else None


def _decided_before(row: Delivery) -> str:
    """Who was faster: two people may look at the same list."""
    entries = History.objects.filter(kind="delivery", object_id=str(row.pk), verb__in=Verdict)
    last = entries.order_by("-id").first()
    if last is None:
        return _("It was settled meanwhile: it is “%(state)s”.") % {
            "state": row.get_state_display()
        }
    return _("%(who)s has decided at %(at)s: %(verdict)s. It is “%(state)s”.") % {
        "who": last.actor,
        "at": written(last.at, row.run.zone),
        "verdict": IN_WORDS[Verdict(last.verb)],
        "state": row.get_state_display(),
    }


def _left_before(row: Delivery) -> Refused | None:
    left = LeftOpen.objects.filter(pk=row.pk).first()
    if left is None or left.completed_at != row.completed_at:
        return None
    words = _("%(who)s has left it at %(at)s already.")
    return Refused(words % {"who": left.by, "at": written(left.at, row.run.zone)})


def _warning(row: Delivery, verdict: Verdict, now: datetime) -> str:
    """Why this should not be decided lightly; nothing where it may be."""
    if row.is_asked_about:
        return _("Its channel is still being asked whether it arrived: wait for the answer.")
    return warning_of_age(row, now) if verdict == Verdict.SEND_AGAIN else ""


def warning_of_age(row: Delivery, now: datetime) -> str:
    """What to say before this is sent once more, where its time is long past."""
    if now - row.due_at <= timedelta(seconds=settings.TEIJI_GRACE_SECONDS):
        return ""
    words = _("It was appointed for %(due)s, which is long past: decide whether it still fits.")
    return words % {"due": written(row.due_at, row.run.zone)}


def _settle(row: Delivery, verdict: Verdict, *, by: Any, note: str, now: datetime) -> None:
    if verdict == Verdict.ARRIVED:
        note_arrival(row, now)
    elif verdict == Verdict.SEND_AGAIN:
        anew = {"tries": 0, "crashes": 0, "in_doubt": False, "next_try_at": now,
                "request": history.present_request()}  # fmt: skip
        mine = Delivery.objects.filter(pk=row.pk)
        move(mine, DeliveryState.PLANNED, **anew, confirm_at=None, completed_at=None)
    else:
        doubt_at = row.completed_at or now  # the machine always notes one
        left = {"at": now, "by": by.get_username(), "note": note, "completed_at": doubt_at}
        LeftOpen.objects.update_or_create(delivery=row, defaults=left)
    facts: dict[str, Any] = {"state": ["unconfirmed", verdict.value], "run": row.run_id}
    history.record(
        verdict.value, row, by=by, now=now, unit_path=row.unit_path,
        changes=facts | ({"note": note} if note else {}),
    )  # fmt: skip
