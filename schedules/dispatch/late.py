"""Late: answers to what was on the wire when its worker had been given up."""

import logging
from collections.abc import Sequence

from django.db.models import QuerySet

from orgs.bulk import insert
from schedules.dispatch.evidence import attempt_of, lateness_of_each
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.verdict import verdict
from schedules.models import Delivery
from schedules.states import DeliveryState, move

logger = logging.getLogger(__name__)


def settle_late(outcomes: Sequence[Outcome]) -> None:
    """Each of these that answers a lost claim is kept in the log. If the channel took the part,
    it has arrived, where that is still not confirmed; the next one is planned."""
    ids = [outcome.claimed.id for outcome in outcomes]
    rows = Delivery.objects.filter(id__in=ids, lost_claim__isnull=False)
    facts = rows.values_list("id", "lost_claim", "unit_path")
    lost = {id_: (token, path) for id_, token, path in facts}
    handed = [(o, *lost.get(o.claimed.id, (None, ""))) for o in outcomes if o.handed_at]
    late = [o.in_unit(path) for o, token, path in handed if token == o.claimed.token]
    if not late:
        return
    logger.warning("%d answers came after their lease", len(late))
    lateness = lateness_of_each(late)
    for outcome in late:
        row = rows.filter(id=outcome.claimed.id)
        if outcome.receipt:
            _note_receipt(row, outcome, lateness.get(outcome.claimed.id))
        row.update(lost_claim=None)
    insert([attempt_of(outcome, lateness) for outcome in late])


def _note_receipt(row: QuerySet[Delivery], outcome: Outcome, lateness: int | None) -> None:
    to, values = verdict(outcome)
    unsure = row.filter(state=DeliveryState.UNCONFIRMED, part=outcome.claimed.part)
    if lateness is not None:
        values["lateness_ms"] = lateness
    move(unsure, to, **values)
