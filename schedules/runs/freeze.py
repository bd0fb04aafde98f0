"""Freezes content into a run: what would leave, to whom, or why nothing does."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet

from channels.adapters.base import Adapter, Payload, Picture
from channels.media import public_url
from channels.models import Account, Audience, MediaLink, Room
from channels.models.image import Rendition
from logs.history import present_request
from schedules.content import Content, ContentImage, fill_in, pack
from schedules.deliveries import filled_delivery, room_deliveries
from schedules.models import Run, Schedule
from schedules.models.run import kind_of
from schedules.room_values import values_of
from schedules.runs.frozen import Frozen, note_left_out, skip

LINKS_OPEN_BEFORE = timedelta(minutes=5)
LINKS_LIVE = timedelta(weeks=4)  # people scroll back in their chats


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
    first_due_at: datetime | None = None,
    open_account: Callable[[Account], Adapter] = Account.open,
) -> Frozen:
    """A run of this schedule at this time, not yet written. `rooms`: other ones than its own;
    `followed_at`: its next time; `first_due_at`: that of its timing, where a person moved it. Who
    freezes many gives an `open_account` that remembers: to open one takes longer than to pack a
    text."""
    run = _new_run(schedule, due_at, now=now, trigger=trigger)
    run.first_due_at = first_due_at
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
    schedule: Schedule,
    due_at: datetime,
    *,
    now: datetime,
    reason: str,
    detail: str = "",
    first_due_at: datetime | None = None,
) -> Frozen:
    """A run that only says why nothing is sent at this time."""
    frozen = Frozen(_new_run(schedule, due_at, now=now, trigger=Run.Trigger.TIMING))
    frozen.run.first_due_at = first_due_at
    return _unsendable(frozen, reason, detail)


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
        request=present_request() or schedule.request,
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
    note_left_out(run, frozen.deliveries)
    return frozen


def _unsendable(frozen: Frozen, reason: str, detail: str = "") -> Frozen:
    skip(frozen.run, reason, detail)
    return Frozen(frozen.run)


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
