"""The evidence about a delivery that may or may not have arrived: what a person decides by."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from channels.adapters import adapter_class
from channels.adapters.base import Bubble
from logs.models import Attempt
from orgs.models import Unit
from orgs.reach import within
from schedules.actions.fence import LOST
from schedules.models import Delivery, LeftOpen
from schedules.states import ScheduleState

SHORT = 400  # characters of a text that a line of evidence shows


@dataclass(frozen=True)
class Evidence:
    """All that is known. `part`: the one in doubt, from 1; `handed_at`: when it was handed over
    last, as far as anybody noted it; `asked_until`: while the channel is still asked."""

    delivery: Delivery
    unit: str
    part: int
    handed_at: datetime | None
    attempts: list[Attempt]
    bubbles: list[Bubble]
    why: str
    asked_until: datetime | None
    late: timedelta
    left: LeftOpen | None
    is_lost: bool  # with its worker

    @property
    def text(self) -> str:
        """The text of the part in doubt, shortened."""
        found = "\n".join(bubble.text for bubble in self.bubbles if bubble.kind == "text")
        return found if len(found) <= SHORT else f"{found[:SHORT]}…"

    @property
    def pictures(self) -> int:
        return sum(bubble.kind != "text" for bubble in self.bubbles)

    @property
    def is_cancelled(self) -> bool:
        """Its schedule was: it can no longer be sent."""
        return self.delivery.run.schedule.state == ScheduleState.CANCELLED


def with_evidence(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """The deliveries with what `evidence_of` asks of them; without what may be large."""
    related = rows.select_related("run__schedule", "account", "left_open")
    return related.defer("members", "run__content")


def evidence_of(rows: Sequence[Delivery], *, by: Any, now: datetime) -> list[Evidence]:
    """Of each of these deliveries; the same number of queries for one and for many."""
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    tries = Attempt.objects.filter(delivery_id__in=[row.pk for row in rows])
    for attempt in within(by, tries).order_by("id"):
        attempts[attempt.delivery_id].append(attempt)
    paths = {row.unit_path for row in rows}
    units = dict(Unit.objects.filter(path__in=paths).values_list("path", "name"))
    return [_of_one(row, attempts[row.pk], units.get(row.unit_path, ""), now) for row in rows]


def _of_one(row: Delivery, attempts: list[Attempt], unit: str, now: datetime) -> Evidence:
    part = min(row.part, row.parts - 1)
    tries = [attempt for attempt in attempts if attempt.part == part]
    is_lost = row.error == LOST
    handed_at = tries[-1].wire_at if tries and not is_lost else row.started_at
    left = getattr(row, "left_open", None)
    return Evidence(
        delivery=row,
        unit=unit,
        part=part + 1,
        handed_at=handed_at,
        attempts=attempts,
        bubbles=_bubbles(row, part),
        why=_why(row, tries[-1] if tries else None, is_lost=is_lost),
        asked_until=_asked_until(row),
        late=now - row.due_at,
        left=left if left and left.completed_at == row.completed_at else None,
        is_lost=is_lost,
    )


def _asked_until(row: Delivery) -> datetime | None:
    if not row.is_asked_about or row.completed_at is None:
        return None
    patience = timedelta(seconds=settings.TEIJI_CONFIRM_SECONDS)
    return max(row.completed_at + patience, row.confirm_at or row.completed_at)


def _bubbles(row: Delivery, part: int) -> list[Bubble]:
    """What the room shows if it arrived, from the very payload that was sent."""
    try:
        adapter = adapter_class(row.channel)(config=None)
        return adapter.preview(row.payloads[part])
    except (KeyError, IndexError):  # a channel that is not installed, or a damaged run
        return []


def _why(row: Delivery, last: Attempt | None, *, is_lost: bool) -> str:
    """Why nobody can know, in a sentence."""
    if row.is_asked_about:
        return _("The channel has taken it in, and is being asked whether it arrived.")
    if is_lost or last is None:
        return _(
            "The worker that was sending it was lost, and with it the channel’s answer. Nobody "
            "else has heard it."
        )
    if last.outcome == Attempt.Outcome.ACCEPTED:
        return _(
            "The channel has taken it in, but was never seen to deliver it, and can no longer be "
            "asked."
        )
    if last.outcome != Attempt.Outcome.UNKNOWN:
        return _(
            "An earlier try had no certain answer and may have arrived. What the last one was told "
            "says nothing of that."
        )
    if row.tries > 1:
        return _(
            "It was handed over several times, each without a certain answer. It was not tried "
            "further."
        )
    return _(
        "It was handed over, and no certain answer came back. The channel cannot tell a repeated "
        "message from a new one, so it was not sent again by itself."
    )
