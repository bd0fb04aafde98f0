"""One row of every kind that belongs to one unit, each with a word that must not leak."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.db.models import Model

from channels import alerts
from channels.adapters.base import unknown
from channels.alerts.gather import gather
from channels.models import (
    Account,
    AccountCheck,
    Alert,
    AlertTarget,
    Audience,
    DayCount,
    Fact,
    Label,
    MediaLink,
    Membership,
    Notice,
    NoticeChoice,
    OwnNotice,
    PulledMessage,
    QuotaReading,
    Recipient,
    RecipientImport,
    Room,
    SandboxMessage,
    Tag,
    Tagging,
    Telling,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
)
from logs.models import Attempt, History, Punctuality
from logs.stats.tally import roll_up
from orgs.clock import database_now
from orgs.models import Deputy, Member, Token, Unit, User
from orgs.reach import Role, lineage
from schedules.actions import register
from schedules.dispatch.claim import claim
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.models import (
    Approval,
    ArchivedMonth,
    ArchivedRun,
    CalendarFeed,
    Delivery,
    Freeze,
    HolidayException,
    MessageTemplate,
    OccurrenceChange,
    PlaceholderValue,
    Preflight,
    QuarterCount,
    QuartersCounted,
    Run,
    RunPause,
    SavedFilter,
    Schedule,
    ScheduleImage,
    TemplateBlock,
    TemplateDefault,
    TemplateImage,
)
from schedules.outcomes.counts import QUARTER, quarter_of
from schedules.rules import preview
from tests.conftest import World, store_image

WORD = "CANARY"

# Who may see them, by plain thinking: those in Tainan and above it.
SEES = {"hq", "south", "tainan"}
# But for what concerns all, which only the headquarters sees.
OF_THE_TOP = {"holidayexception"}
BLIND = ["north", "taipei", "xinyi", "stranger"]


def each_of(first: str, *others: str) -> Any:
    """So that one of them is asked at every desk, and all where there is time."""
    thorough = [pytest.param(who, marks=pytest.mark.thorough) for who in others]
    return pytest.mark.parametrize("who", [first, *thorough])


@dataclass
class Canaries:
    """The rows by model name, lower case."""

    rows: dict[str, Model] = field(default_factory=dict)

    def add(self, row: Model) -> Model:
        self.rows[row._meta.model_name or ""] = row
        return row

    def snapshot(self) -> dict[str, Any]:
        """Every column of every row, as the database has it now."""
        return {
            name: type(row)._default_manager.filter(pk=row.pk).values().first()
            for name, row in self.rows.items()
        }


def make_canaries(world: World, make_schedule: Any, code: str = "tainan") -> Canaries:
    """Those of the unit with this code."""
    found = Canaries()
    Unit.objects.filter(code=code).update(name=f"{WORD} branch")
    unit = found.add(Unit.objects.get(code=code))
    person = world.people[code]
    type(person).objects.filter(pk=person.pk).update(username=f"{WORD}-{code}", first_name=WORD)
    person.refresh_from_db()
    found.add(person)
    found.add(person.member)
    freeze = {"why": WORD, "frozen_by": WORD, "placed_from": unit, "frozen_at": database_now()}
    lifted = {"lifted_by": WORD, "lifted_why": WORD, "lifted_at": database_now()}
    values = {"unit_path": unit.path, "name": WORD, **freeze, **lifted}
    found.add(Freeze.objects.create(unit=unit, **values))
    day = {"country": "TW", "date": date(2031, 5, 6), "note": WORD}
    found.add(HolidayException.objects.create(**day))
    feed = {"digest": WORD, "created_at": database_now()}
    found.add(CalendarFeed.objects.create(user=person, unit=unit, **feed))
    kept = {"page": "delivery", "name": WORD, "query": f"q={WORD}"}
    found.add(SavedFilter.objects.create(user=person, **kept))
    found.add(Token.issue(user=person, name=f"{WORD} token", scopes=["read"])[0])
    account = Account(
        unit=unit, name=f"{WORD} account", kind="sandbox", config={"honours_key": "no"}
    )
    account.save()
    found.add(account)
    values = {"limit": 777_777, "read_at": database_now(), "tried_at": database_now()}
    found.add(QuotaReading.objects.create(account=account, error=WORD, **values))
    values = {"checked_at": database_now(), "outcome": "refused", "why": WORD, "name": WORD}
    found.add(AccountCheck.objects.create(account=account, **values))
    day = {"day": database_now().date(), "handed": 5, "error": WORD}
    found.add(DayCount.objects.create(account=account, endpoint="push", **day))
    days = {"month": day["day"], "started_on": day["day"], "ends_on": day["day"], "number": 1}
    label = {"unit_path": unit.path, "name": f"{WORD}_label", "error": WORD}
    found.add(Label.objects.create(account=account, **days, **label))
    room = Room.objects.create(
        unit=unit, account=account, name=f"{WORD} room", address=f"{WORD}-address"
    )
    found.add(room)
    image = store_image(unit, 3)
    type(image).objects.filter(pk=image.pk).update(name=f"{WORD}.png")
    image.refresh_from_db()
    found.add(image)
    now = database_now()
    links = MediaLink.objects.links_for(
        [image], active_from=now, active_until=now.replace(year=now.year + 1)
    )
    found.add(MediaLink.objects.bulk_create(links)[0])
    found.add(SandboxMessage.objects.create(
        account=account, address=room.address, key=uuid4(), position=0, arrived_at=now,
        body={"kind": "text", "text": f"{WORD} arrived"},
    ))  # fmt: skip
    found.add(PulledMessage.objects.create(
        account=account, address=room.address, key=uuid4(), text=f"{WORD} for a phone",
        queued_at=now, fetch_by=now,
    ))  # fmt: skip
    _keep_a_template(found)
    _alert_somebody(found)
    _tell_a_system(found)
    _know_people(found)
    _run_something(found, make_schedule, person)
    return found


def _keep_a_template(found: Canaries) -> None:
    unit, image = found.rows["unit"], found.rows["image"]
    template = MessageTemplate.objects.create(unit=unit, name=f"{WORD} template")
    found.add(template)
    found.add(TemplateBlock.objects.create(template=template, text=f"{WORD} {{{WORD}}}"))
    found.add(TemplateImage.objects.create(template=template, image=image))
    found.add(TemplateDefault.objects.create(template=template, name=WORD, value=WORD))
    found.add(PlaceholderValue.objects.create(unit=unit, name=f"{WORD}_value", value=WORD))


def _alert_somebody(found: Canaries) -> None:
    """A place that is told, an alert, and what became of it."""
    unit, now = found.rows["unit"], database_now()
    target = AlertTarget(unit=unit, name=f"{WORD} target")
    target.url = "discord://1/" + WORD
    target.save()
    found.add(target)
    alerts.raise_("failed", "account:1", unit.path, key=WORD, name=WORD, text=WORD, now=now)
    gather(now)
    found.add(Alert.objects.get(key=WORD))
    found.add(Notice.objects.get(unit_path=unit.path))
    found.add(Telling.objects.get(target=target))


def _tell_a_system(found: Canaries) -> None:
    """An endpoint, what it was told, and what it answered."""
    unit, now = found.rows["unit"], database_now()
    webhook = Webhook(unit=unit, name=f"{WORD} webhook", url=f"https://{WORD}.example.com/")
    webhook.events, webhook.told_from = ["run.sent"], now
    webhook.secrets = {"secret": f"whsec_{WORD}AA"}
    webhook.save()
    found.add(webhook)
    facts = {"kind": "run.sent", "unit_path": unit.path, "at": now, "data": {"title": WORD}}
    fact = Fact.objects.create(**facts, spread_at=now, body=WORD)
    found.add(fact)
    told = WebhookDelivery.objects.create(webhook=webhook, fact=fact, next_try_at=now)
    found.add(told)
    tried = {"at": now, "took_ms": 5, "why": WORD}
    found.add(WebhookAttempt.objects.create(delivery=told, **tried))
    person = found.rows["user"]
    result = {"run_id": 1, "kind": "run.failed", "title": WORD, "due_at": now, "at": now}
    found.add(OwnNotice.objects.create(user=person, unit_path=unit.path, **result))
    found.add(NoticeChoice.objects.create(user=person, trouble=WORD))


def _know_people(found: Canaries) -> None:
    """Somebody with a tag, on a list; and a file that is being imported."""
    belongs: dict[str, Any] = {"unit": found.rows["unit"], "account": found.rows["account"]}
    person = Recipient.objects.create(
        **belongs, name=f"{WORD} person", address=f"{WORD}-id", region=f"{WORD} city"
    )
    audience = Audience.objects.create(**belongs, name=f"{WORD} audience", regions=[person.region])
    tag = Tag.objects.create(unit=belongs["unit"], name=f"{WORD} tag")
    started = RecipientImport(**belongs, file_name=f"{WORD}.csv", created_at=database_now())
    started.encoding, started.mapping = "utf-8-sig", {"address": 0}
    started.file.save("", ContentFile(f"{WORD},name\n{WORD},{WORD}\n".encode()), save=False)
    started.save()
    rows = [person, audience, tag, Tagging.objects.create(tag=tag, recipient=person), started,
            Membership.objects.create(audience=audience, recipient=person)]  # fmt: skip
    for row in rows:
        found.add(row)


def _run_something(found: Canaries, make_schedule: Any, person: Any) -> None:
    """A schedule with a run that is not confirmed, so that every page has something to show."""
    room, image, unit = found.rows["room"], found.rows["image"], found.rows["unit"]
    values = {"title": f"{WORD} schedule", "text": f"{WORD} text", "description": WORD}
    schedule = make_schedule(rooms=[room], unit=unit, images=[image], **values, timing_kind="daily")
    schedule = register(schedule, by=person)
    due_at = schedule.next_due_at
    plan(due_at)
    claimed = [c for c in claim(due_at, worker=f"{WORD} worker", limit=100) if c.room_id == room.pk]
    mark_wire(claimed, due_at)
    error = unknown(f"{WORD} error", answer={"said": WORD})
    settle([Outcome(c, False, False, due_at, handed_at=due_at, error=error) for c in claimed])
    schedule.refresh_from_db()
    found.add(schedule)
    found.add(ScheduleImage.objects.get(schedule=schedule))
    findings = [{"what": "content", "facts": {"why": f"{WORD} finding"}}]
    values = {"findings": findings, "looked_at": database_now(), "revision": schedule.revision}
    found.add(Preflight.objects.create(schedule=schedule, **values))
    found.add(_change_of_one(schedule))
    run = found.add(Run.objects.get(schedule=schedule))
    paused = {"paused_at": database_now(), "paused_by": WORD, "placed_from": unit}
    found.add(RunPause.objects.create(run=run, **paused))
    found.add(Delivery.objects.get(run__schedule=schedule))
    found.add(Attempt.objects.get(schedule_id=schedule.pk))
    found.add(History.objects.filter(object_name=schedule.title).first())
    _archive_something(found)
    _count_something_late(found, unit)
    _ask_somebody(found, make_schedule, unit)
    draft = make_schedule(rooms=[room], unit=unit, title=f"{WORD} draft", text=WORD)
    Schedule.objects.filter(pk=draft.pk).update(registered_by=person)
    found.rows["draft"] = draft


def _archive_something(found: Canaries) -> None:
    """A run of long ago; its file is not there."""
    month = ArchivedMonth.objects.create(month=date(2024, 7, 1), runs=1)
    place = {"starts_at": 0, "length": 1, "digest": "0" * 64}
    facts = {"unit_path": found.rows["unit"].path, "zone": "UTC", "title": f"{WORD} archived"}  # type: ignore[attr-defined]
    facts |= {"rooms": f"{WORD} room", "state": "sent", "schedule_id": found.rows["schedule"].pk,
              "trigger": "timing", "kind": "once"}  # fmt: skip
    at = datetime(2024, 7, 9, 9, tzinfo=UTC)
    found.add(ArchivedRun.objects.create(id=10**9, month=month, due_at=at, **place, **facts))


def _ask_somebody(found: Canaries, make_schedule: Any, unit: Any) -> None:
    """A schedule that waits for those of Tainan, or above."""
    Unit.objects.filter(pk=unit.pk).update(approval="demanded")
    unit.refresh_from_db()
    clerk = User.objects.create(username=f"{WORD}-clerk", is_staff=True)
    member = Member.objects.create(user=clerk, unit=unit, role=Role.OPERATOR)
    days = {"begins_at": database_now(), "ends_at": database_now() + timedelta(days=1)}
    found.add(Deputy.objects.create(unit=unit, member=member, **days))
    values = {"title": f"{WORD} question", "text": f"{WORD} asks"}
    asked = register(make_schedule(rooms=[found.rows["room"]], unit=unit, **values), by=clerk)
    found.add(Approval.objects.get(schedule=asked))


def _change_of_one(schedule: Schedule) -> OccurrenceChange:
    """Of its second time from now."""
    one = preview(schedule, database_now(), 2)[1]
    facts = {"changed_at": database_now(), "changed_by": WORD, "text": f"{WORD} once"}
    return OccurrenceChange.objects.create(schedule=schedule, appointed_at=one.due_at, **facts)


def _count_something_late(found: Canaries, unit: Any) -> None:
    """One delivery that the figures of Tainan, and of those above it, hold, and one that they
    do not hold yet."""
    now = database_now()
    attempt: Any = found.rows["attempt"]
    values = {f.attname: getattr(attempt, f.attname) for f in attempt._meta.concrete_fields[1:]}
    values |= {"outcome": "accepted", "channel": WORD, "due_at": now, "lateness_ms": 77_777}
    Attempt.objects.create(**values)
    for seconds in (0, 61):
        roll_up(now + timedelta(seconds=seconds))
    Attempt.objects.create(**values | {"lateness_ms": 77_778})
    until = quarter_of(now) - QUARTER
    QuartersCounted.objects.create(until=until, turned_at=now)
    for path in ("", *lineage(unit.path)):
        counts = {"unit_path": path, "at": until - QUARTER, "channel": WORD, "kind": WORD}
        found.rows["quartercount"] = QuarterCount.objects.create(
            **counts, strategy="immediate", sent=5
        )
    found.add(Punctuality.objects.get(unit_path=unit.path))
