"""Every state, every allowed move, and the only writers of a state.

A move is a compare-and-set: it touches only rows that stand in a state from which it is
allowed, and the number of rows is its answer. docs/architecture.md has the same table with
the reason for each arrow.
"""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orgs.bulk import update_each


class ScheduleState(models.TextChoices):
    DRAFT = "draft", _("draft")
    WAITING = "waiting", _("waiting for approval")
    ACTIVE = "active", pgettext_lazy("of a schedule", "active")
    PAUSED = "paused", _("paused")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    ERROR = "error", _("error")


class RunState(models.TextChoices):
    PLANNED = "planned", _("scheduled")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    PARTIAL = "partial", _("partly sent")
    FAILED = "failed", _("failed")
    UNCONFIRMED = "unconfirmed", _("not confirmed")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")


class DeliveryState(models.TextChoices):
    PLANNED = "planned", _("scheduled")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    CONFIRMED = "confirmed", _("confirmed")
    FAILED = "failed", _("failed")
    UNCONFIRMED = "unconfirmed", _("not confirmed")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")
    RETRACTED = "retracted", _("retracted")


State = ScheduleState | RunState | DeliveryState

_S, _R, _D = ScheduleState, RunState, DeliveryState

# By kind: members of two enumerations with one value are equal, and would share a key.
MOVES: dict[type, dict[State, frozenset[State]]] = {
    # Moved by people, but for completed, expired and error.
    ScheduleState: {
        _S.DRAFT: frozenset({_S.WAITING, _S.ACTIVE, _S.CANCELLED}),
        _S.WAITING: frozenset(
            {_S.ACTIVE, _S.DRAFT, _S.PAUSED, _S.COMPLETED, _S.CANCELLED, _S.EXPIRED}
        ),
        _S.ACTIVE: frozenset({_S.PAUSED, _S.COMPLETED, _S.CANCELLED, _S.ERROR, _S.WAITING}),
        _S.PAUSED: frozenset({_S.ACTIVE, _S.COMPLETED, _S.CANCELLED, _S.WAITING}),
        _S.COMPLETED: frozenset({_S.ACTIVE, _S.CANCELLED, _S.WAITING}),  # once more: edited
        _S.CANCELLED: frozenset(),
        _S.EXPIRED: frozenset({_S.ACTIVE, _S.CANCELLED, _S.WAITING}),
        _S.ERROR: frozenset({_S.ACTIVE, _S.CANCELLED, _S.WAITING}),
    },
    # The sum of its deliveries (see `run_state`).
    RunState: {
        _R.PLANNED: frozenset(set(_R) - {_R.PLANNED}),
        _R.SENDING: frozenset(
            {_R.SENT, _R.PARTIAL, _R.FAILED, _R.UNCONFIRMED, _R.SKIPPED, _R.CANCELLED}
        ),
        _R.UNCONFIRMED: frozenset({_R.SENDING, _R.SENT, _R.PARTIAL, _R.FAILED}),
        _R.SENT: frozenset(),
        _R.PARTIAL: frozenset({_R.SENDING}),  # what failed is tried again
        _R.FAILED: frozenset({_R.SENDING}),
        _R.SKIPPED: frozenset(),
        _R.CANCELLED: frozenset(),
    },
    # The letters are those of docs/architecture.md.
    DeliveryState: {
        _D.PLANNED: frozenset({_D.SENDING, _D.SKIPPED, _D.CANCELLED, _D.UNCONFIRMED}),  # a, h, i, f
        _D.SENDING: frozenset(
            {
                _D.SENT,  # b
                _D.PLANNED,  # d
                _D.FAILED,  # e
                _D.UNCONFIRMED,  # f
                _D.SKIPPED,  # h, found out of reach on the way to the wire
            }
        ),
        _D.SENT: frozenset({_D.CONFIRMED, _D.RETRACTED}),  # c, j
        _D.CONFIRMED: frozenset({_D.RETRACTED}),  # j
        _D.UNCONFIRMED: frozenset({_D.SENT, _D.FAILED, _D.PLANNED}),  # g
        _D.FAILED: frozenset({_D.PLANNED}),  # k
        _D.SKIPPED: frozenset(),
        _D.CANCELLED: frozenset(),
        _D.RETRACTED: frozenset(),
    },
}

OPEN_DELIVERY = (_D.PLANNED, _D.SENDING)
OPEN_RUN = (_R.PLANNED, _R.SENDING)
SUCCESS = (_D.SENT, _D.CONFIRMED, _D.RETRACTED)
# What a delivery came to, as figures and lists name it.
OUTCOMES: dict[str, tuple[DeliveryState, ...]] = {
    "sent": SUCCESS,
    "failed": (_D.FAILED,),
    "unconfirmed": (_D.UNCONFIRMED,),
    "skipped": (_D.SKIPPED,),
}


def sources_of(to: State) -> list[State]:
    """The states from which a row may move to this one."""
    return [state for state, targets in MOVES[type(to)].items() if to in targets]


def move(rows: models.QuerySet, to: State, **values: Any) -> int:
    """Move the rows that may move; set `values` with them. Returns how many moved."""
    return rows.filter(state__in=sources_of(to)).update(state=to, **values)


def move_each(
    model: type[models.Model], to: State, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> int:
    """Move claimed deliveries, each with its own values, in one round trip. Returns how many.

    A row is (*values of `columns`, id, claim). The claim is given up; whoever no longer
    holds it changes nothing.
    """
    given_up = {"state": to, "claim": None, "lease_until": None, "wire_at": None}
    allowed = {"state": sources_of(to)}
    by = ("id", "claim")
    return update_each(model, columns, rows, by=by, constants=given_up, among=allowed)


def run_state(counts: dict[str, int], *, parts_sent: bool = False) -> RunState:
    """What a run is, from the number of its deliveries in each state. `parts_sent`: a delivery
    that failed had sent some of its parts."""

    def count(*states: DeliveryState) -> int:
        return sum(counts.get(state, 0) for state in states)

    total = sum(counts.values())
    if count(*OPEN_DELIVERY):
        return RunState.SENDING
    if count(_D.UNCONFIRMED):
        return RunState.UNCONFIRMED
    succeeded = count(*SUCCESS)
    if succeeded or parts_sent:
        return RunState.SENT if succeeded == total else RunState.PARTIAL
    if count(_D.FAILED):
        return RunState.FAILED
    return RunState.CANCELLED if count(_D.CANCELLED) else RunState.SKIPPED
