"""Confirm: asks channels that can be asked whether a message arrived."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Max

from channels import alerts
from channels.adapters.base import Failure, HandedOver, Receipt, SendError, Target
from channels.alerts import AlertKind
from channels.models import Account
from logs.models import Attempt
from schedules.arrival import note_arrival
from schedules.dispatch.evidence import heard_of, storable
from schedules.dispatch.send import Senders
from schedules.models import Delivery
from schedules.models.delivery import part_key
from schedules.runs import warn
from schedules.states import DeliveryState, move
from schedules.totals import add_up

logger = logging.getLogger(__name__)

QUESTIONS_A_TURN = 200
ASK_EVERY = timedelta(seconds=3)


@dataclass(frozen=True)
class Question:
    """A delivery whose channel is to be asked about its last part."""

    delivery: Delivery
    account: Account
    part: HandedOver


@dataclass(frozen=True)
class Answer:
    """What the channel said: it has the part, it has not, or (None) it cannot tell. `error`:
    how it said that it cannot, still has to send it, or never will; `receipt`: that it has it."""

    question: Question
    has_it: bool | None
    error: SendError | None = None
    receipt: Receipt | None = None


def due_questions(now: datetime) -> list[Question]:
    """Those whose time to be asked about has come."""
    asked = Delivery.objects.filter(state__in=[DeliveryState.SENT, DeliveryState.UNCONFIRMED])
    due = asked.filter(confirm_at__lte=now).order_by("confirm_at")
    rows = list(due.select_related("account", "room", "run")[:QUESTIONS_A_TURN])
    tries = Attempt.objects.filter(delivery_id__in=[row.pk for row in rows])
    handed = dict(tries.values_list("delivery_id").annotate(Max("wire_at")))
    return [Question(row, row.account, _part(row, handed.get(row.pk))) for row in rows]


async def ask(questions: Sequence[Question], senders: Senders) -> list[Answer]:
    """Ask all of them at once."""

    async def one(question: Question) -> Answer:
        try:
            adapter = senders.adapter(question.account)
            receipt = await adapter.confirm(question.part)
        except SendError as error:
            return Answer(question, None, error)
        except (KeyError, ImproperlyConfigured):
            return Answer(question, None)  # the account cannot be used
        return Answer(question, receipt is not None, receipt=receipt)

    return list(await asyncio.gather(*(one(question) for question in questions)))


def write_answers(answers: Sequence[Answer], now: datetime) -> None:
    """What was seen is confirmed; what the channel never sends has failed. What was not seen
    stays as it is: a person decides, since what may have arrived is not sent again by itself."""
    with transaction.atomic():
        for answer in answers:
            _write(answer, now)
        told = [a for a in answers if a.has_it or _is_refused(a)]
        add_up({answer.question.delivery.run_id for answer in told}, now)


def _write(answer: Answer, now: datetime) -> None:
    delivery = answer.question.delivery
    row = Delivery.objects.filter(pk=delivery.pk)
    is_sent = delivery.state == DeliveryState.SENT
    if answer.has_it and is_sent:
        mine = row.filter(state=DeliveryState.SENT)
        if move(mine, DeliveryState.CONFIRMED, confirm_at=None):
            _note_unreached(answer, now)
    elif answer.has_it:
        if note_arrival(delivery, now):
            _note_unreached(answer, now)
    elif _is_refused(answer) and is_sent:
        error = storable(str(answer.error))
        mine = row.filter(state=DeliveryState.SENT, confirm_at=delivery.confirm_at)
        if mine.update(confirm_at=None, error=error):
            _note_unreached(answer, now)
    elif _is_refused(answer):
        # Of this part: the answer to an old question says nothing about a later one.
        mine = row.filter(state=DeliveryState.UNCONFIRMED, part=delivery.part)
        error = storable(str(answer.error))
        if move(mine, DeliveryState.FAILED, confirm_at=None, completed_at=now, error=error):
            alerts.raise_all(warn.of_rows([delivery], AlertKind.FAILED, now, error), now)
    else:
        _ask_again(answer, now)


def _note_unreached(answer: Answer, now: datetime) -> None:
    """What the channel took, and then told that it did not reach somebody, stays sent: the log
    says whom it did not reach."""
    receipt, question = answer.receipt, answer.question
    said = receipt if receipt and receipt.answer.get("refused") else answer.error
    if said is not None:
        heard_of(question.delivery, question.part, said, now).save()


def _ask_again(answer: Answer, now: datetime) -> None:
    """Or never, once its time is over: then a person must decide, and is told."""
    delivery, ask_at = answer.question.delivery, _next_question(answer, now)
    # Unless something has happened since that calls for another question at once.
    row = Delivery.objects.filter(pk=delivery.pk, confirm_at=delivery.confirm_at)
    is_over = row.update(confirm_at=ask_at) and ask_at is None
    if is_over and delivery.state == DeliveryState.UNCONFIRMED:
        said = {"came_of": delivery.request or delivery.run.request}
        words = "delivery %s of run %s: not confirmed"
        logger.error(words, delivery.pk, delivery.run_id, extra=said)
        alerts.raise_all(warn.of_rows([delivery], AlertKind.UNCONFIRMED, now), now)


def _is_refused(answer: Answer) -> bool:
    return answer.error is not None and answer.error.failure == Failure.REFUSED


def _part(row: Delivery, handed_at: datetime | None) -> HandedOver:
    number = min(row.part, row.parts - 1)
    return HandedOver(
        target=Target(row.room.address if row.room else "", row.room_name),
        payload=row.payloads[number],
        key=part_key(row.key, number),
        at=(handed_at or row.due_at).timestamp(),
    )


def _next_question(answer: Answer, now: datetime) -> datetime | None:
    """When to ask once more: what was only taken in may arrive until its time is over, and what
    the channel still has to send, for as long as it says so."""
    delivery, error = answer.question.delivery, answer.error
    if error is not None and error.failure == Failure.LATER:
        return now + (timedelta(seconds=error.after) if error.after else ASK_EVERY)
    last = (delivery.completed_at or now) + timedelta(seconds=settings.TEIJI_CONFIRM_SECONDS)
    return min(now + ASK_EVERY, last) if now < last else None
