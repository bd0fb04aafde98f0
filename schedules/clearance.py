"""Clearance: what of a schedule an approval is bound to, and whether what it would now send was
let go. Where a unit demands approval, only what is cleared becomes a run (`runs.store`)."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from channels.models import Audience
from orgs.models import Unit
from schedules.content import Content
from schedules.models import OccurrenceChange, Schedule
from schedules.placeholders import meaning, names
from schedules.room_values import values_of

Facts = dict[str, Any]

TIMING = (
    "timing_kind", "zone", "date", "time", "weekdays", "day_of_month", "short_month",
    "every_minutes", "peak_minutes", "peak_hours", "cron", "valid_from", "valid_until",
    "holiday_country", "skip_dates", "on_quiet",
)  # fmt: skip
SETS = ("weekdays", "peak_hours", "skip_dates")
# They follow from the time, which is bound itself.
OF_THE_TIME = {"date", "time"}
ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def facts_of(schedule: Schedule) -> Facts:
    """All that decides what is sent, when and to whom, as JSON holds it. Its title, description,
    priority and retries do not; who is in an audience at that time is not known yet."""
    content = schedule.content
    timing = {name: getattr(schedule, name) for name in TIMING}
    facts = {
        "unit": schedule.unit_id,
        "text": content.text.strip() if content.sends_text else "",
        "images": [[image.name, image.sha256] for image in content.sent_images],
        "order": str(content.order),
        "interval_seconds": content.interval,
        "values": _values(schedule, content),
        "rooms": sorted(room.pk for room in schedule.rooms.all()),
        "audience": _rule_of(schedule.audience) if schedule.audience else None,
        "timing": timing | {name: sorted(timing[name]) for name in SETS},
        "changes": _changes(schedule),
    }
    plain: Facts = json.loads(json.dumps(facts, cls=DjangoJSONEncoder))
    return plain


def digest_of(facts: Facts) -> str:
    """The same for the same facts. An image's name is told to people, and changes nothing."""
    bound = facts | {"images": [sha256 for _name, sha256 in facts["images"]]}
    text = json.dumps(bound, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def is_cleared(schedule: Schedule) -> bool:
    """Whether it may send what it now holds."""
    return not uncleared([schedule])


def uncleared(schedules: Iterable[Schedule]) -> set[int]:
    """The ids of those that stand where approval is demanded, and send something else than what
    was approved. One query for those of units that demand none."""
    schedules = list(schedules)
    demanding = Unit.objects.demanding({schedule.unit.path for schedule in schedules})
    return {
        schedule.pk
        for schedule in schedules
        if schedule.unit.path in demanding and schedule.cleared != digest_of(facts_of(schedule))
    }


def _changes(schedule: Schedule) -> list[Any]:
    """The single times that go otherwise. To leave one out needs nobody's approval."""
    rows = OccurrenceChange.objects.filter(
        schedule=schedule.edits_id or schedule.pk, skips=False
    ).order_by("appointed_at")
    return [[row.appointed_at, row.due_at, row.text] for row in rows]


def _values(schedule: Schedule, content: Content) -> dict[str, dict[str, str]]:
    """What its placeholders stand for in each room: others than the author may change that."""
    if not content.has_placeholders:
        return {}
    wanted = {meaning(name) for name in names(content.text)} - OF_THE_TIME
    targets = [schedule.audience] if schedule.audience else list(schedule.rooms.all())
    found = values_of(content, targets, schedule.unit, ANY_TIME)
    return {
        str(pk): {name: value for name, value in values.items() if name in wanted}
        for pk, values in found.items()
    }


def _rule_of(audience: Audience) -> Facts:
    names = ("pk", "account_id", "kind", "tags", "tag_match", "regions", "languages", "most")
    return {name: getattr(audience, name) for name in names}
