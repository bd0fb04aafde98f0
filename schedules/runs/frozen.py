"""A run that is ready to be written, and how it says that nothing of it goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from channels.models import Account, Audience, MediaLink
from schedules.bookings.quota import Charge
from schedules.models import Delivery, Run
from schedules.states import DeliveryState, RunState


@dataclass
class Frozen:
    """A run that is ready to be written, with the rows that hang on it."""

    run: Run
    audience: Audience | None = None
    accounts: dict[int, Account] = field(default_factory=dict)
    followed_at: datetime | None = None  # the next time of its schedule, if there is one
    slot_at: datetime | None = None  # when quiet hours let its audience have it
    deliveries: list[Delivery] = field(default_factory=list)
    links: list[MediaLink] = field(default_factory=list)
    # Of the months of accounts and budgets, kept for its audience until that is written.
    held: dict[Charge, int] = field(default_factory=dict)


def skip(run: Run, reason: str, detail: str) -> None:
    run.state, run.reason, run.detail = RunState.SKIPPED, reason, detail[:255]
    run.completed_at = run.planned_at


def note_left_out(run: Run, deliveries: Sequence[Delivery]) -> None:
    """A run of which nothing goes says why, as the first of its deliveries does."""
    left_out = [row for row in deliveries if row.state == DeliveryState.SKIPPED]
    run.skipped = len(left_out)
    if left_out and run.skipped == run.total and run.state == RunState.PLANNED:
        first = left_out[0]
        known = first.reason in Run.Reason.values
        reason = first.reason if known else Run.Reason.UNUSABLE
        skip(run, reason, first.error or ("" if known else first.get_reason_display()))
