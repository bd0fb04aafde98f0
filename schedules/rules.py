"""What may be registered: every rule that concerns more than one row, by field.

Asked by the registration form, by the API and once more by the act itself.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.utils.translation import gettext as _

from channels.adapters.base import Adapter
from channels.models import Account, Audience, Image, Room
from orgs.clock import database_now
from orgs.reach import Act, can_in, covers, within
from schedules import content, placeholders
from schedules.models import Delivery, HolidayException, OccurrenceChange, Schedule
from schedules.models.prefills import MOST_RETRIES
from schedules.recurrence import (
    NO_CHANGES,
    Changes,
    Exceptions,
    Kind,
    Occurrence,
    changed_occurrences,
)
from schedules.room_values import values_of
from schedules.runs.halted import halted
from schedules.states import DeliveryState, ScheduleState

Problems = dict[str, list[str]]

COMPARED = 100  # occurrences that are compared when duplicates are looked for
JUST = timedelta(minutes=1)
NOT_SENT = (DeliveryState.SKIPPED, DeliveryState.CANCELLED, DeliveryState.FAILED)
MOST_INTERVAL = 3600  # seconds between messages
LABEL = re.compile(r"[A-Za-z0-9_]+")
NAMED = 3  # rooms that a message names; of the others it says how many they are

# The step of the registration in which each field is filled in.
STEPS: dict[str, tuple[str, ...]] = {
    "target": ("unit", "title", "description", "label", "rooms", "audience"),
    "content": ("text", "images", "order", "interval_seconds"),
    "timing": (
        "timing_kind", "zone", "date", "time", "weekdays", "day_of_month", "short_month",
        "every_minutes", "peak_minutes", "peak_hours", "cron", "valid_from", "valid_until",
        "holiday_country", "skip_dates", "on_quiet", "priority", "max_retries",
    ),
}  # fmt: skip


def preview(
    schedule: Schedule,
    after: datetime,
    count: int = 10,
    *,
    exceptions: Exceptions | None = None,
    changes: Changes | None = None,
) -> list[Occurrence]:
    """The coming occurrences, from the function that the planner uses; [] while the timing is not
    yet usable. `exceptions` of its country and `changes` of its own, where they are known."""
    timing = schedule.timing
    if timing.problems():
        return []
    if exceptions is None:
        exceptions = HolidayException.table(schedule.holiday_country)
    if changes is None:
        changes = OccurrenceChange.of(schedule, after)
    coming = changed_occurrences(timing, after, exceptions=exceptions, changes=changes)
    return list(islice(coming, count))


def problems(schedule: Schedule, *, by: Any, now: datetime) -> Problems:
    """All that stands against this schedule, by field; {} when it may be registered."""
    rooms = list(schedule.rooms.select_related("account", "unit").order_by("id"))
    found: Problems = {}
    for part in (
        target_problems(schedule, rooms, by=by),
        content_problems(schedule, rooms),
        image_problems(schedule, by=by),
        timing_problems(schedule, now=now),
    ):
        _merge(found, part)
    if not found:
        _merge(found, duplicate_problems(schedule, rooms, now=now))
    return found


def target_problems(schedule: Schedule, rooms: Iterable[Room], *, by: Any) -> Problems:
    """Where it goes, and for whom."""
    found: Problems = {}
    if not schedule.title.strip():
        found["title"] = [_("Give the schedule a title.")]
    if schedule.label and not LABEL.fullmatch(schedule.label):
        found["label"] = [_("A statistics name has letters from a to z, digits and _ only.")]
    if not can_in(by, Act.CREATE, Schedule, schedule.unit):
        found["unit"] = [_("You cannot register schedules for this unit.")]
    rooms = list(rooms)
    if schedule.audience and rooms:
        found["audience"] = [_("Choose either rooms or an audience.")]
    elif schedule.audience:
        if message := _audience_problem(schedule, schedule.audience, by=by):
            found["audience"] = [message]
    elif messages := _room_problems(schedule, rooms, by=by):
        found["rooms"] = messages
    return found


def _room_problems(schedule: Schedule, rooms: Sequence[Room], *, by: Any) -> list[str]:
    if not rooms:
        return [_("Choose at least one room.")]
    found: list[str] = []
    reached = set(within(by, Room.objects.all()).values_list("pk", flat=True).filter(
        pk__in=[room.pk for room in rooms]))  # fmt: skip
    for room in rooms:
        if room.pk not in reached or not schedule.unit.covers(room.unit):
            # A room out of reach is not named: its name is another unit's.
            message = _("A chosen room does not belong to the schedule’s unit.")
        elif not room.is_active:
            message = _("The room “%(room)s” is inactive.") % {"room": room.name}
        elif not room.account.is_active:
            message = _inactive_account(room.account)
        elif room.left_at:
            message = _("The bot is no longer in the room “%(room)s”.") % {"room": room.name}
        else:
            continue
        if message not in found:
            found.append(message)
    if len({room.kind for room in rooms}) > 1:
        found.append(_("Choose either live rooms or test rooms."))
    return found


def _inactive_account(account: Account) -> str:
    """As the look before a run says it: who sends through it need not know its name."""
    finding = halted(account)
    return f"{finding.words} {finding.advice}" if finding else ""


def _audience_problem(schedule: Schedule, audience: Audience, *, by: Any) -> str:
    """Why nothing can be sent to this audience for the schedule's unit; "" when it can."""
    reached = within(by, Audience.objects.filter(pk=audience.pk), Act.USE).exists()
    if not reached or not schedule.unit.covers(audience.unit):
        # One out of reach is not named: its name is another unit's.
        return _("The chosen audience does not belong to the schedule’s unit.")
    if not audience.is_active:
        return _("The audience “%(audience)s” is inactive.") % {"audience": audience.name}
    if not audience.account.is_active:
        return _inactive_account(audience.account)
    if not audience.count(up_to=1):
        return _("Nobody is in the audience “%(audience)s”.") % {"audience": audience.name}
    return ""


def content_problems(schedule: Schedule, rooms: Iterable[Room]) -> Problems:
    """What is sent, against the limits of the rooms' channels."""
    targets: list[Room | Audience] = [schedule.audience] if schedule.audience else [*rooms]
    accounts: dict[int, Account] = {target.account_id: target.account for target in targets}
    try:
        # By account: two at one channel may be set to different limits.
        adapters = {pk: account.open() for pk, account in accounts.items()}
    except (KeyError, ImproperlyConfigured):
        field = "audience" if schedule.audience else "rooms"
        return {field: [_("The channel that was chosen cannot be used. Ask its manager.")]}
    found = content.problems(schedule.content, list(adapters.values()))
    _merge(found, _locked_problems(schedule))
    if schedule.content.has_placeholders:
        _merge(found, _filling_problems(schedule, targets, adapters))
    unreachable = [a.label for a in adapters.values() if a.fetches_images and not _is_public()]
    if schedule.content.sent_images and unreachable:
        found.setdefault("images", []).append(
            _("%(channel)s fetches images by https, but this installation has no https address. "
              "Ask its operator to set TEIJI_PUBLIC_URL.") % {"channel": unreachable[0]}
        )  # fmt: skip
    if schedule.interval_seconds > MOST_INTERVAL:
        found.setdefault("interval_seconds", []).append(
            _("At most %(most)d seconds between messages.") % {"most": MOST_INTERVAL}
        )
    return found


def _locked_problems(schedule: Schedule) -> Problems:
    """The passages that its template locks stand in the text, as they were and in their order."""
    locked = [text.strip() for text in schedule.terms_in_force.get("locked", []) if text.strip()]
    if locked and not schedule.content.sends_text:
        return {"order": [_("The template’s text must be sent with it.")]}
    changed, end = [], 0
    for passage in locked:
        place = placeholders.find_passage(schedule.text, passage, end)
        if place < 0:
            changed.append(passage)
        else:
            end = place + len(passage)
    words = _("The template does not let this passage be changed: “%(passage)s”")
    return {"text": [words % {"passage": passage} for passage in changed]} if changed else {}


def _filling_problems(
    schedule: Schedule, targets: Sequence[Room | Audience], adapters: Mapping[int, Adapter]
) -> Problems:
    """Where a placeholder has no value, or the filled text does not go."""
    # Rooms that left the unit are not asked: neither their names nor their values are told.
    at = schedule.next_due_at or database_now()
    values = values_of(schedule.content, targets, schedule.unit, at)
    wrong: dict[str, list[str]] = {}
    for target in (target for target in targets if target.pk in values):
        try:
            content.fill_in(schedule.content, values[target.pk], adapters[target.account_id])
        except content.Unfillable as error:
            wrong.setdefault(str(error), []).append(target.name)
    messages = [_in_rooms(names, message) for message, names in wrong.items()]
    return {"text": messages} if messages else {}


def _in_rooms(names: list[str], message: str) -> str:
    listed = ", ".join(f"“{name}”" for name in names[:NAMED])
    rooms = listed if len(names) <= NAMED else _("%(rooms)s and %(more)d more") % {
        "rooms": listed, "more": len(names) - NAMED}  # fmt: skip
    return f"{rooms}: {message}"


def image_problems(schedule: Schedule, *, by: Any) -> Problems:
    """Images come from within the actor's reach; what an edited schedule had, it may keep."""
    chosen = set(schedule.schedule_images.values_list("image_id", flat=True))
    if schedule.edits:
        chosen -= set(schedule.edits.schedule_images.values_list("image_id", flat=True))
    reached = within(by, Image.objects.filter(pk__in=chosen)).count() if chosen else 0
    if reached < len(chosen):
        return {"images": [_("A chosen image does not belong to you.")]}
    return {}


def _is_public() -> bool:
    return bool(settings.TEIJI_PUBLIC_URL.startswith("https://"))


def timing_problems(schedule: Schedule, *, now: datetime) -> Problems:
    """When it goes."""
    timing = replace(schedule.timing, registered_at=now)
    found: Problems = {_column(name): [str(message)] for name, message in timing.problems().items()}
    if not 0 <= schedule.priority <= 100:
        found["priority"] = [_("The priority lies between 0 and 100.")]
    if schedule.max_retries > MOST_RETRIES:
        found["max_retries"] = [_("At most %(most)d retries.") % {"most": MOST_RETRIES}]
    if schedule.valid_until and schedule.valid_until <= now:
        found.setdefault("valid_until", []).append(_("This time has passed."))
    if not found and schedule.timing_kind != Kind.NOW:
        _merge(found, _nothing_coming(schedule, now))
    return found


def _nothing_coming(schedule: Schedule, now: datetime) -> Problems:
    coming = preview(schedule, now, COMPARED)
    if any(not occurrence.skipped for occurrence in coming):
        return {}
    if schedule.timing_kind != Kind.ONCE:
        return {"timing_kind": [_("With this timing and validity nothing would ever be sent.")]}
    if coming:
        return {"date": [_("This date is left out: %(why)s.")
                         % {"why": coming[0].detail or _("you chose so")}]}  # fmt: skip
    return {"time": [_("This time has passed, or lies outside the validity.")]}


def duplicate_problems(schedule: Schedule, rooms: Iterable[Room], *, now: datetime) -> Problems:
    """Whether another active schedule sends the same to the same room at the same time. Of two
    that register at once the second sees the first only if the rooms are locked."""
    rooms = list(rooms)
    twin = _just_sent(schedule, rooms, now) or _twin_to_come(schedule, rooms, now)
    return twin_problems(schedule, *twin) if twin else {}


def twin_problems(schedule: Schedule, title: str, unit_path: str) -> Problems:
    """What is said of another one that sends the same."""
    return {
        "__all__": [
            _("“%(title)s” already sends the same content to the same place at the "
              "same time. Change the content, the place or the time.")
            % {"title": title if covers(schedule.unit.path, unit_path)
               else _("Another schedule")}
        ]
    }  # fmt: skip


def _just_sent(schedule: Schedule, rooms: Iterable[Room], now: datetime) -> tuple[str, str] | None:
    """Of “now” every second is another time: there, what went within the last minute counts."""
    if schedule.timing_kind != Kind.NOW:
        return None
    recent = Delivery.objects.filter(
        Q(audience=schedule.audience_id)
        if schedule.audience_id
        else Q(room__in=[room.pk for room in rooms]),
        # The delivery's own is that of its filled text.
        run__content_hash=schedule.content.digest,
        due_at__gt=now - JUST,
    )
    left = recent.exclude(state__in=NOT_SENT)
    return left.values_list("run__title", "run__unit_path").first()


def _twin_to_come(
    schedule: Schedule, rooms: Iterable[Room], now: datetime
) -> tuple[str, str] | None:
    twins = (
        Schedule.objects.present()
        .filter(
            Q(audience=schedule.audience_id)
            if schedule.audience_id
            else Q(rooms__in=[room.pk for room in rooms]),
            state=ScheduleState.ACTIVE,
            content_hash=schedule.content.digest,
        )
        .exclude(pk__in=[schedule.pk, schedule.edits_id or 0])
        .select_related("unit")
        .distinct()
    )
    some = list(twins[:20])
    if not some:
        return None
    changes = OccurrenceChange.of_all([twin.pk for twin in some], now)
    mine = {schedule.pk: OccurrenceChange.of(schedule, now)}
    twin = twin_among(some, schedule, {**changes, **mine}, now=now)
    return (twin.title, twin.unit.path) if twin else None


def twin_among(
    others: Iterable[Schedule],
    schedule: Schedule,
    changes: Mapping[int, Changes],
    *,
    now: datetime,
    exceptions: Exceptions | None = None,
) -> Schedule | None:
    """The first of these that goes when it goes, all with these changes, by schedule."""

    def times(row: Schedule) -> set[datetime]:
        own = changes.get(row.pk, NO_CHANGES)
        coming = preview(row, now, COMPARED, exceptions=exceptions, changes=own)
        return {occurrence.due_at for occurrence in coming}

    mine = times(schedule)
    return next((other for other in others if mine & times(other)), None)


def _column(timing_field: str) -> str:
    return "timing_kind" if timing_field == "kind" else timing_field


def _merge(found: Problems, more: Problems) -> None:
    for field, messages in more.items():
        found.setdefault(field, []).extend(messages)
