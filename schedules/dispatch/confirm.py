"""Confirm: asks channels that can be asked whether a message arrived."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Max

from channels.adapters.base import HandedOver, SendError, Target
from channels.models import Account
from logs.models import Attempt
from schedules.arrival import note_arrival
from schedules.dispatch.send import Senders
from schedules.models import Delivery
from schedules.models.delivery import part_key
from schedules.states import DeliveryState, move
from schedules.totals import add_up

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
    """What the channel said: it has the part, it has not, or (None) it cannot tell."""

    question: Question
    has_it: bool | None


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
        except (SendError, KeyError, ImproperlyConfigured):
            return Answer(question, None)  # it cannot tell, or the account cannot be used
        return Answer(question, receipt is not None)

    return list(await asyncio.gather(*(one(question) for question in questions)))


def write_answers(answers: Sequence[Answer], now: datetime) -> None:
    """What was seen is confirmed. What was not seen stays as it is: a person decides, since
    nothing that may have arrived is sent again by itself."""
    with transaction.atomic():
        for answer in answers:
            delivery = answer.question.delivery
            row = Delivery.objects.filter(pk=delivery.pk)
            if not answer.has_it:
                row.update(confirm_at=_next_question(delivery, now))
            elif delivery.state == DeliveryState.SENT:
                move(row.filter(state=DeliveryState.SENT), DeliveryState.CONFIRMED, confirm_at=None)
            else:
                note_arrival(delivery, now)
        add_up({a.question.delivery.run_id for a in answers if a.has_it}, now)


def _part(row: Delivery, handed_at: datetime | None) -> HandedOver:
    number = min(row.part, row.parts - 1)
    return HandedOver(
        target=Target(row.room.address if row.room else "", row.room_name),
        payload=row.payloads[number],
        key=part_key(row.key, number),
        at=(handed_at or row.due_at).timestamp(),
    )


def _next_question(delivery: Delivery, now: datetime) -> datetime | None:
    """When to ask once more: what was only taken in may arrive until its time is over."""
    last = (delivery.completed_at or now) + timedelta(seconds=settings.TEIJI_CONFIRM_SECONDS)
    return min(now + ASK_EVERY, last) if now < last else None
