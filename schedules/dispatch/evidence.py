"""Evidence: the log's row of a try, and how late it was."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from channels.adapters.base import HandedOver, Receipt, SendError
from channels.storable import storable
from logs.models import Attempt, History
from logs.stats.lateness import lateness_of
from schedules.dispatch.outcome import Outcome
from schedules.holds import Wait, held_for
from schedules.models import Delivery

BY_HAND = ("send_again", "retried")  # in the history: a person had it sent once more


def attempt_of(outcome: Outcome, lateness: dict[int, int]) -> Attempt:
    """The row that proves what was tried and what the channel said."""
    claimed, error, receipt = outcome.claimed, outcome.error, outcome.receipt
    evidence = receipt or error
    assert evidence is not None, "an attempt has an answer or an error"
    return Attempt(
        delivery_id=claimed.id,
        run_id=claimed.run_id,
        schedule_id=claimed.schedule_id,
        schedule_title=claimed.title,
        room_id=claimed.room_id,
        audience_id=claimed.audience_id,
        room_name=claimed.room_name,
        unit_path=claimed.unit_path,
        channel=claimed.account.kind,
        account_id=claimed.account.pk,
        part=claimed.part,
        number=claimed.tries + 1,
        key=claimed.part_key,
        due_at=claimed.due_at,
        claimed_at=claimed.claimed_at,
        wire_at=outcome.handed_at,
        answered_at=outcome.answered_at,
        outcome=error.failure.value if error else Attempt.Outcome.ACCEPTED,
        status=evidence.status,
        request_id=storable(evidence.request_id[:100]),
        answer=storable(evidence.answer),
        error=storable(str(error)) if error else "",
        lateness_ms=lateness.get(claimed.id),
        billed=_billed(outcome) if receipt else 0,
        already=bool(receipt and receipt.already),
        request=claimed.request,
    )


def heard_of(
    delivery: Delivery, part: HandedOver, said: Receipt | SendError, now: datetime
) -> Attempt:
    """The row of what a channel said later, when it was asked, of a part that it had accepted:
    whom of the batch it did not reach, or that it reached nobody."""
    is_receipt = isinstance(said, Receipt)
    return Attempt(
        delivery_id=delivery.pk,
        run_id=delivery.run_id,
        schedule_id=delivery.run.schedule_id,
        schedule_title=delivery.run.title,
        room_id=delivery.room_id,
        audience_id=delivery.audience_id,
        room_name=delivery.room_name,
        unit_path=delivery.unit_path,
        channel=delivery.channel,
        account_id=delivery.account_id,
        part=min(delivery.part, delivery.parts - 1),
        number=max(delivery.tries, 1),
        key=part.key,
        due_at=delivery.due_at,
        answered_at=now,
        outcome=Attempt.Outcome.ACCEPTED if is_receipt else Attempt.Outcome.REFUSED,
        status=said.status,
        request_id=storable(said.request_id[:100]),
        answer=storable(said.answer),
        error="" if is_receipt else storable(str(said)),
        already=is_receipt,
        request=delivery.request or delivery.run.request,
    )


def _billed(outcome: Outcome) -> int:
    """Of a batch, those who were in it when it left, and whom the channel took. Nothing of an
    account that bills nothing."""
    claimed, receipt = outcome.claimed, outcome.receipt
    if not claimed.billed:
        return 0
    refused = receipt.answer.get("refused") if receipt and claimed.is_batch else None
    return claimed.billed - (len(refused) if isinstance(refused, list) else 0)


def lateness_of_each(held: Sequence[Outcome]) -> dict[int, int]:
    """By delivery, how late the try was that the channel accepted: with a known key an earlier
    one. Only the first part has an appointed time, and none has it that a person sends again.
    The time for which people held it back is not counted."""
    first = [o for o in held if o.receipt and o.handed_at and o.claimed.part == 0]
    tried = [str(o.claimed.id) for o in first if o.claimed.started_at]
    again = History.objects.filter(kind="delivery", verb__in=BY_HAND, object_id__in=tried)
    by_hand = set(again.values_list("object_id", flat=True)) if tried else set()
    first = [o for o in first if str(o.claimed.id) not in by_hand]
    doubtful = _doubtful([o for o in first if o.receipt and o.receipt.already])
    times = [(o.claimed, _accepted_at(o, doubtful[o.claimed.id])) for o in first]
    left = [(claimed, at) for claimed, at in times if at]
    kept = held_for(Wait.of(claimed, claimed.account.pk, at) for claimed, at in left)
    return {
        claimed.id: lateness_of(at - kept.get(claimed.id, timedelta()), claimed.leaves_at)
        for claimed, at in left
    }


def _doubtful(known: Sequence[Outcome]) -> dict[int, list[Attempt]]:
    """By delivery, the tries of its first part that had no certain answer, in their order."""
    found: dict[int, list[Attempt]] = defaultdict(list)
    ids = [outcome.claimed.id for outcome in known]
    rows = Attempt.objects.filter(delivery_id__in=ids, part=0, outcome=Attempt.Outcome.UNKNOWN)
    for attempt in rows.order_by("id") if ids else ():
        found[attempt.delivery_id].append(attempt)
    return found


def _accepted_at(outcome: Outcome, doubtful: Sequence[Attempt]) -> datetime | None:
    """Of a known key, when the try was handed over that the channel names; where it names none
    that was answered, the last one without an answer, lest it look earlier than it was. None: it
    was accepted of a worker that died before it said when it had handed it over."""
    receipt = outcome.receipt
    if receipt is None or not receipt.already:
        return outcome.handed_at
    named = [a for a in doubtful if a.request_id and a.request_id == receipt.request_id]
    if named:
        return named[0].wire_at
    if outcome.claimed.crashes:
        return None
    unanswered = [a for a in doubtful if not a.request_id] or doubtful
    return unanswered[-1].wire_at if unanswered else outcome.handed_at
