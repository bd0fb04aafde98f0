"""Makes a run: freezes the content and writes the run with its deliveries.

Used by the planner for an occurrence and by people's "run now"; always inside their
transaction.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import QuerySet

from channels.adapters.base import Adapter, Payload, Picture
from channels.media import public_url
from channels.models import Account, Audience, MediaLink, Room
from channels.models.image import Rendition
from orgs.bulk import insert, insert_new
from schedules.bookings import quota
from schedules.bookings.labels import Planned, label_runs
from schedules.bookings.rooms import REASONS, Wanted, book_audience, book_rooms
from schedules.content import Content, ContentImage, fill_in, pack
from schedules.deliveries import (
    batch_deliveries,
    filled_delivery,
    room_deliveries,
    wanted_at,
)
from schedules.models import Delivery, Run, Schedule
from schedules.models.run import kind_of
from schedules.outcomes.keep import note_changes
from schedules.room_values import values_of
from schedules.states import DeliveryState, RunState, move

logger = logging.getLogger(__name__)

BATCHES_AT_ONCE = 20  # of 500 people each
LINKS_OPEN_BEFORE = timedelta(minutes=5)
LINKS_LIVE = timedelta(weeks=4)  # people scroll back in their chats


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


def with_content(schedules: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """The queryset with all that `freeze` reads, in a number of queries that does not grow."""
    return schedules.select_related("unit", "audience__account").prefetch_related(
        "rooms__account", "schedule_images"
    )


def freeze(
    schedule: Schedule,
    due_at: datetime,
    *,
    now: datetime,
    trigger: str = Run.Trigger.TIMING,
    rooms: Sequence[Room] | None = None,
    followed_at: datetime | None = None,
    open_account: Callable[[Account], Adapter] = Account.open,
) -> Frozen:
    """A run of this schedule at this time, not yet written. `rooms`: other ones than its own;
    `followed_at`: its next time. Who freezes many gives an `open_account` that remembers: to
    open one takes longer than to pack a text."""
    run = _new_run(schedule, due_at, now=now, trigger=trigger)
    frozen = Frozen(run, followed_at=followed_at)
    rooms = list(schedule.rooms.all() if rooms is None else rooms)
    frozen.audience = schedule.audience
    frozen.run.expected = schedule.expected
    targets: list[Room | Audience] = [schedule.audience] if schedule.audience else [*rooms]
    if not targets:
        return _unsendable(frozen, Run.Reason.NO_ROOM)
    content, picture_of = schedule.content, _linker(schedule, frozen, due_at)
    try:
        frozen.accounts = {target.account_id: target.account for target in targets}
        adapters = {pk: open_account(account) for pk, account in frozen.accounts.items()}
        if content.has_placeholders:
            return _filled(frozen, targets, adapters, picture_of)
        for pk, adapter in adapters.items():
            frozen.run.payloads[str(pk)] = pack(content, adapter, picture_of)
    except (KeyError, ValueError, ImproperlyConfigured) as error:
        return _unsendable(frozen, Run.Reason.UNUSABLE, str(error))
    if not frozen.audience:
        frozen.deliveries = room_deliveries(schedule, frozen.run, rooms)
        frozen.run.total = len(rooms)
    return frozen


def skipped(
    schedule: Schedule, due_at: datetime, *, now: datetime, reason: str, detail: str = ""
) -> Frozen:
    """A run that only says why nothing is sent at this time."""
    frozen = Frozen(_new_run(schedule, due_at, now=now, trigger=Run.Trigger.TIMING))
    return _unsendable(frozen, reason, detail)


def store(batch: Iterable[Frozen], now: datetime) -> list[Run]:
    """Write the runs and all that hangs on them. A delivery whose twin is already planned or
    sent (same room, time and content) is written as skipped."""
    batch = list(batch)
    # Rooms before the quota: what finds no slot needs none of it.
    book_rooms((Wanted(frozen.deliveries, frozen.followed_at) for frozen in batch), now)
    for frozen in batch:
        _hold_audience(frozen, now)
        _note_left_out(frozen.run, frozen.deliveries)
    purse = quota.open_purse((frozen.run, _billing(frozen)) for frozen in batch)
    # Of what is due at once, the more important takes its part first.
    for frozen in sorted(batch, key=lambda frozen: (frozen.run.due_at, -frozen.run.priority)):
        if shortfall := purse.take(frozen.run, _messages(frozen.deliveries)):
            _stop(frozen, shortfall)
    label_runs(Planned(f.run, f.accounts, f.deliveries, f.slot_at) for f in batch)
    runs = [frozen.run for frozen in batch]
    insert(runs, ids=True)
    note_changes((run.due_at for run in runs), now)
    insert([link for frozen in batch for link in frozen.links])
    deliveries = [delivery for frozen in batch for delivery in frozen.deliveries]
    for delivery in deliveries:
        delivery.run_id = delivery.run.pk
    if not insert_new(deliveries):
        _finish_runs_of_duplicates(_store_duplicates(deliveries))
    for frozen in batch:
        if frozen.audience:
            _store_batches(frozen, frozen.audience, purse)
    return runs


def _hold_audience(frozen: Frozen, now: datetime) -> None:
    """Quiet hours hold a message to an audience as a whole."""
    run = frozen.run
    if frozen.audience:
        parts = len(run.payloads[str(frozen.audience.account_id)])
        wanted = wanted_at(run)
        slot = book_audience(run.schedule, wanted, parts, frozen.followed_at, now)
        if slot.skipped:
            _skip(run, REASONS[slot.skipped], "")
            frozen.audience, frozen.links = None, []
        elif slot.at != wanted:
            frozen.slot_at = slot.at


def _note_left_out(run: Run, deliveries: Sequence[Delivery]) -> None:
    """A run of which nothing goes says why, as the first of its deliveries does."""
    left_out = [row for row in deliveries if row.state == DeliveryState.SKIPPED]
    run.skipped = len(left_out)
    if left_out and run.skipped == run.total and run.state == RunState.PLANNED:
        first = left_out[0]
        known = first.reason in Run.Reason.values
        reason = first.reason if known else Run.Reason.UNUSABLE
        _skip(run, reason, first.error or ("" if known else first.get_reason_display()))


def _billing(frozen: Frozen) -> set[int]:
    """The accounts that bill for this run."""
    if frozen.audience and frozen.audience.account.meters:
        return {frozen.audience.account_id}
    return {delivery.account_id for delivery in frozen.deliveries if delivery.billed}


def _messages(deliveries: Iterable[Delivery]) -> dict[int, int]:
    """By account, how many messages it bills for what is planned of these."""
    found: dict[int, int] = {}
    for delivery in deliveries:
        if delivery.billed and delivery.state == DeliveryState.PLANNED:
            messages = delivery.billed * delivery.parts
            found[delivery.account_id] = found.get(delivery.account_id, 0) + messages
    return found


def _stop(frozen: Frozen, shortfall: quota.Shortfall) -> None:
    """Before its first message."""
    _skip(frozen.run, shortfall.reason, shortfall.words)
    logger.error("schedule %s is not sent: %s", frozen.run.schedule_id, frozen.run.detail)
    frozen.deliveries, frozen.links = [], []
    frozen.run.total = frozen.run.skipped = 0


def _store_batches(frozen: Frozen, audience: Audience, purse: quota.Purse) -> None:
    """Write the deliveries to an audience while it is read: it may be too large to be held."""
    run = frozen.run
    try:
        with transaction.atomic():  # a run that turns out not to fit leaves nothing
            refused = _write_batches(frozen, audience, purse)
    except quota.DoesNotFit as error:
        _stop_batches(run, audience, purse, error)
        return
    row = Run.objects.filter(pk=run.pk)
    if run.total:
        run.recipients = (run.recipients or 0) - _people_in(refused)
        row.update(total=run.total, recipients=run.recipients)
        _finish_runs_of_duplicates(refused)
    else:
        nobody = {"reason": Run.Reason.NO_RECIPIENT, "recipients": 0}
        move(row, RunState.SKIPPED, **nobody, completed_at=run.planned_at)


def _people_in(batches: Iterable[Delivery]) -> int:
    return sum(len(delivery.members or ()) for delivery in batches)


def _write_batches(frozen: Frozen, audience: Audience, purse: quota.Purse) -> list[Delivery]:
    """Returns those that a twin has kept out. Raises DoesNotFit."""
    run = frozen.run
    deliveries = batch_deliveries(run.schedule, run, audience, frozen.slot_at)
    refused: list[Delivery] = []
    taken = 0
    run.recipients = 0
    while some := list(islice(deliveries, BATCHES_AT_ONCE)):
        run.total += len(some)
        run.recipients += _people_in(some)
        messages = _messages(some)
        if shortfall := purse.take(run, messages):
            purse.give_back(run, {audience.account_id: taken})
            raise quota.DoesNotFit(shortfall)
        taken += sum(messages.values())
        if not insert_new(some):
            refused += _store_duplicates(some)
    return refused


def _stop_batches(
    run: Run, audience: Audience, purse: quota.Purse, error: quota.DoesNotFit
) -> None:
    """Before its first message; all are counted only to say how many they are."""
    parts = len(run.payloads[str(audience.account_id)])
    needed = {audience.account_id: audience.count() * parts}
    shortfall = purse.take(run, needed) or error.shortfall
    run.total = 0
    _skip(run, shortfall.reason, shortfall.words)
    row = Run.objects.filter(pk=run.pk)
    at = {"completed_at": run.completed_at, "recipients": 0}
    move(row, RunState.SKIPPED, reason=run.reason, detail=run.detail, **at)
    logger.error("schedule %s is not sent: %s", run.schedule_id, run.detail)


def _new_run(schedule: Schedule, due_at: datetime, *, now: datetime, trigger: str) -> Run:
    content = schedule.content
    return Run(
        schedule=schedule,
        due_at=due_at,
        trigger=trigger,
        title=schedule.title,
        unit_path=schedule.unit.path,
        zone=schedule.zone,
        priority=schedule.priority,
        max_retries=schedule.max_retries,
        interval_seconds=schedule.interval_seconds,
        content=content.as_json(),
        content_hash=content.digest,
        kind=kind_of(trigger, schedule),
        planned_at=now,
    )


def _filled(
    frozen: Frozen,
    targets: Sequence[Any],
    adapters: Mapping[int, Adapter],
    picture_of: Callable[[ContentImage], Picture],
) -> Frozen:
    """With the placeholders filled in for each target. An audience has one text, as it is one."""
    run, schedule = frozen.run, frozen.run.schedule
    content = schedule.content
    found = values_of(content, targets, schedule.unit, run.due_at)

    def fill(target: Any, values: Mapping[str, str]) -> tuple[Content, list[Payload]]:
        adapter = adapters[target.account_id]
        own = fill_in(content, values, adapter)
        return own, pack(own, adapter, picture_of)

    if audience := frozen.audience:
        run.payloads[str(audience.account_id)] = fill(audience, found.get(audience.pk, {}))[1]
        return frozen
    frozen.deliveries = [
        filled_delivery(schedule, run, room, found.get(room.pk), fill) for room in targets
    ]
    run.total = len(frozen.deliveries)
    _note_left_out(run, frozen.deliveries)
    return frozen


def _unsendable(frozen: Frozen, reason: str, detail: str = "") -> Frozen:
    _skip(frozen.run, reason, detail)
    return Frozen(frozen.run)


def _skip(run: Run, reason: str, detail: str) -> None:
    run.state, run.reason, run.detail = RunState.SKIPPED, reason, detail[:255]
    run.completed_at = run.planned_at


def _linker(
    schedule: Schedule, frozen: Frozen, due_at: datetime
) -> Callable[[ContentImage], Picture]:
    """Gives each image its public links, made once for the run."""
    images = [row.image for row in schedule.schedule_images.all()]
    frozen.links = MediaLink.objects.links_for(
        images, active_from=due_at - LINKS_OPEN_BEFORE, active_until=due_at + LINKS_LIVE
    )
    urls = {(link.image_id, link.rendition): public_url(link) for link in frozen.links}

    def picture_of(image: ContentImage) -> Picture:
        original = urls[image.id, Rendition.ORIGINAL]
        return Picture(original, urls[image.id, Rendition.PREVIEW], image.name)

    return picture_of


def _store_duplicates(deliveries: list[Delivery]) -> list[Delivery]:
    """Write as skipped those of them that a twin has kept out; returns them."""
    run_ids = {delivery.run_id for delivery in deliveries}
    rows = Delivery.objects.filter(run_id__in=run_ids).values_list("run_id", "room_id", "batch")
    stored = set(rows)
    refused = [d for d in deliveries if (d.run_id, d.room_id, d.batch) not in stored]
    for delivery in refused:
        delivery.pk = None
        delivery.state = DeliveryState.SKIPPED
        delivery.reason = Delivery.Reason.DUPLICATE
        delivery.completed_at = delivery.run.planned_at
    insert(refused)
    return refused


def _finish_runs_of_duplicates(refused: list[Delivery]) -> None:
    """A run whose every delivery was refused has nothing to wait for."""
    counts: dict[int, int] = {}
    for delivery in refused:
        counts[delivery.run_id] = counts.get(delivery.run_id, 0) + 1
    for delivery in {d.run_id: d for d in refused}.values():
        run, count = delivery.run, counts[delivery.run_id] + delivery.run.skipped
        row = Run.objects.filter(pk=run.pk)
        if count == run.total:
            move(row, RunState.SKIPPED, skipped=count, completed_at=run.planned_at)
        else:
            row.update(skipped=count)
