"""Notices: from facts to what their owners are told, by the bell and outside of the pages."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from channels.models import Fact, FactKind, NoticeChoice, OwnNotice
from channels.models.own_notice import RESULTS
from orgs.models import Member

GOOD = (FactKind.SENT, FactKind.APPROVED)
KEPT = timedelta(days=90)
DIGEST_AT = time(8)  # on the clock of the person's unit

What, Rhythm = NoticeChoice.What, NoticeChoice.Rhythm


def keep(facts: Iterable[Fact], now: datetime) -> None:
    """Write them, of each run or answer the last. To be called as the facts are spread."""
    last = {(fact.owner_id, *_about(fact)): fact for fact in facts if _is_told(fact)}
    if not last:
        return
    people = {fact.owner_id for fact in last.values() if fact.owner_id}
    choices = {row.user_id: row for row in NoticeChoice.objects.filter(user__in=people)}
    members = Member.objects.filter(user__in=people).values_list("user_id", "unit__zone")
    zones = dict(members)
    rows = [_notice(fact, choices.get(fact.owner_id or 0), zones, now) for fact in last.values()]
    OwnNotice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["user", "run_id"],
        update_fields=["kind", "at", "read_at", "tell_at"],
    )


def for_person(row: OwnNotice, choice: NoticeChoice | None, zone: str, now: datetime) -> OwnNotice:
    """As this person chose: what their bell is not to count is read, and what they are told outside
    has its time. `zone` is that of a member's unit; who is none is told nothing outside."""
    choice = choice or NoticeChoice()
    if not is_wanted(choice.bell, row.kind):
        row.read_at = now
    if zone and is_wanted(choice.outside, row.kind):
        is_daily = choice.rhythm == Rhythm.DAILY
        row.tell_at = next_digest(zone, now) if is_daily else now
    return row


def forget_old(now: datetime) -> int:
    """Returns how many were removed."""
    return OwnNotice.objects.filter(at__lt=now - KEPT).delete()[0]


def is_wanted(what: str, kind: str) -> bool:
    """Whether somebody who wants to be told of `what` is told of this."""
    return what == What.EVERYTHING or (what == What.FAILURES and kind not in GOOD)


def next_digest(zone: str, now: datetime) -> datetime:
    """The next eight in the morning there."""
    local = now.astimezone(ZoneInfo(zone))
    at = datetime.combine(local.date(), DIGEST_AT, ZoneInfo(zone))
    return at if at > now else at + timedelta(days=1)


def _is_told(fact: Fact) -> bool:
    """A test is looked at by whoever sends it."""
    is_test = fact.data.get("trigger") == "test"
    return fact.owner_id is not None and fact.kind in RESULTS and not is_test


def _about(fact: Fact) -> tuple[int | None, int | None]:
    """The run, or the schedule that approvers have answered."""
    is_answer = fact.kind in (FactKind.APPROVED, FactKind.APPROVAL_REFUSED)
    return (None, fact.data["schedule"]) if is_answer else (fact.data["run"], None)


def _notice(
    fact: Fact, choice: NoticeChoice | None, zones: dict[int, str], now: datetime
) -> OwnNotice:
    assert fact.owner_id is not None, "of nobody's run nobody is told"
    run_id, schedule_id = _about(fact)
    due_at = fact.data["next_due_at" if schedule_id else "due_at"]
    row = OwnNotice(
        user_id=fact.owner_id,
        run_id=run_id,
        schedule_id=schedule_id,
        kind=fact.kind,
        title=fact.data["title"],
        note=fact.data.get("note", ""),
        unit_path=fact.unit_path,
        due_at=datetime.fromisoformat(due_at) if due_at else None,
        at=fact.at,
    )
    return for_person(row, choice, zones.get(fact.owner_id, ""), now)
