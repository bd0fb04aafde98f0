"""Takes the rows of campaigns over, each in a transaction of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction

from channels.models import Audience
from orgs.models import Unit
from orgs.reach import under
from schedules import rules
from schedules.actions.locked import lock_targets
from schedules.actions.replan import find_next
from schedules.legacy.campaigns import TABLE, Campaign, campaign
from schedules.legacy.known import uid_of
from schedules.legacy.reading import Record
from schedules.legacy.taking import Import, Progress, enter, passed, to_look_at
from schedules.models import Run, Schedule
from schedules.recurrence import Kind
from schedules.states import RunState, ScheduleState

OVER = {"sent": ScheduleState.COMPLETED, "failed": ScheduleState.ERROR}
RESULTS = {"sent": RunState.SENT, "failed": RunState.FAILED}


@dataclass(frozen=True)
class Into:
    """Whose the campaigns become, and which audience each rule means."""

    unit: Unit
    audiences: Mapping[str, str]  # {rule there: name here}

    def audience(self, rule: str) -> Audience | None:
        """The audience that this rule means: by the name given for it, else by its own."""
        named = under(self.unit, Audience.objects.all())
        found: Audience | None = named.filter(name=self.audiences.get(rule, rule)).first()
        return found


def take_campaigns(
    records: Iterable[Record], zone: ZoneInfo, into: Into, taking: Import, progress: Progress
) -> None:
    """All that is not there yet."""
    for rows, known in taking.batches(TABLE, records, lambda v: campaign(v, zone), progress):
        for record, row in rows:
            if row.legacy_id in known:
                taking.compare(TABLE, record, row, known[row.legacy_id])
            else:
                _take(record, row, zone, into, taking)


@transaction.atomic
def _take(record: Record, row: Campaign, zone: ZoneInfo, into: Into, taking: Import) -> None:
    schedule = _schedule(row, zone, into, taking)
    schedule.save()
    taking.remember(TABLE, row, schedule.pk)
    lock_targets(schedule)
    to, why = _state(row, schedule, taking)
    enter(schedule, to, f"{TABLE} {row.legacy_id}", taking)
    if row.status in RESULTS:
        _result(row, schedule, taking).save()
    taking.report.count(TABLE, "taken")
    if why:
        taking.note(TABLE, record, why)


def _schedule(row: Campaign, zone: ZoneInfo, into: Into, taking: Import) -> Schedule:
    due_at = row.due_at or row.sent_at
    local = due_at.astimezone(zone) if due_at else None
    return Schedule(
        uid=uid_of(taking.source, TABLE, row.legacy_id),
        unit=into.unit,
        title=row.title,
        text=row.text,
        audience=into.audience(row.rule),
        timing_kind=Kind.ONCE,
        zone=zone.key,
        date=local.date() if local else None,
        time=local.time().replace(microsecond=0) if local else None,
    )


def _state(row: Campaign, schedule: Schedule, taking: Import) -> tuple[ScheduleState, str]:
    if row.status in OVER:
        return OVER[row.status], ""
    if row.status == "draft":
        return ScheduleState.DRAFT, ""
    if find_next(schedule, taking.now) is None:
        return ScheduleState.COMPLETED, passed(schedule)
    if schedule.audience is None:
        words = f"no audience here is called “{row.rule}”; name it with --audience “{row.rule}=…”"
        return ScheduleState.DRAFT, f"it came as a draft: {words}"
    found = rules.problems(schedule, by=taking.by, now=taking.now)
    if found:
        return ScheduleState.DRAFT, to_look_at(found)
    return (ScheduleState.PAUSED if taking.is_paused else ScheduleState.ACTIVE), ""


def _result(row: Campaign, schedule: Schedule, taking: Import) -> Run:
    """What became of it. To whom it went was not kept there: a run without deliveries."""
    due_at = row.due_at or row.sent_at
    assert due_at is not None, "refused while it was read"
    content = schedule.content
    return Run(
        schedule=schedule,
        due_at=due_at,
        trigger=Run.Trigger.IMPORTED,
        state=RESULTS[row.status],
        detail=row.error[:255],
        title=schedule.title,
        unit_path=schedule.unit.path,
        zone=schedule.zone,
        content=content.as_json(),
        content_hash=content.digest,
        planned_at=taking.now,
        started_at=row.sent_at,
        completed_at=row.sent_at or due_at,
        total=row.count,
        sent=row.count if row.status == "sent" else 0,
        failed=row.count if row.status == "failed" else 0,
    )
