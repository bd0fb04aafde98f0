"""Spread: from a fact to a delivery for each endpoint that is to be told of it, and to a notice for
the person whose it is."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from channels.facts import written
from channels.models import Fact, Webhook, WebhookDelivery
from channels.told.notices import keep
from orgs.models import Unit
from orgs.reach import lineage

VERSION = 1  # of the body: raised only by what would break a receiver
FACTS_A_TURN = 500


def spread(now: datetime) -> int:
    """Returns how many facts it spread. Any number of workers may do so at once."""
    waiting = Fact.objects.filter(spread_at=None)
    if not waiting.exists():
        return 0
    with transaction.atomic():
        locked = waiting.order_by("id").select_for_update(skip_locked=True)
        facts = list(locked[:FACTS_A_TURN])
        units = Unit.objects.in_bulk({fact.unit_path for fact in facts}, field_name="path")
        for fact in facts:
            fact.spread_at, fact.body = now, body_of(fact, units)
        Fact.objects.bulk_update(facts, ["spread_at", "body"])
        WebhookDelivery.objects.bulk_create(deliveries_of(facts, now), ignore_conflicts=True)
        keep(facts, now)
    return len(facts)


def body_of(fact: Fact, units: Mapping[str, Unit]) -> str:
    """What is posted. New names may be added to it; none is removed, or means another thing."""
    unit = units.get(fact.unit_path)
    about = {"id": unit.pk, "code": unit.code, "name": unit.name} if unit else None
    body = {
        "type": fact.kind,
        "version": VERSION,
        "timestamp": written(fact.at),
        "unit": about,
        "data": fact.data,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def deliveries_of(facts: Sequence[Fact], now: datetime) -> list[WebhookDelivery]:
    """One for each endpoint of the fact's unit, or of one above it, that wants to know."""
    paths = {path for fact in facts for path in lineage(fact.unit_path)}
    by_path: dict[str, list[Webhook]] = defaultdict(list)
    active = Webhook.objects.filter(is_active=True, unit__path__in=paths).select_related("unit")
    for webhook in active:
        by_path[webhook.unit.path].append(webhook)
    return [
        WebhookDelivery(webhook=webhook, fact=fact, next_try_at=now)
        for fact in facts
        for path in lineage(fact.unit_path)
        for webhook in by_path[path]
        if fact.kind in webhook.events and webhook.told_from <= fact.at
    ]
