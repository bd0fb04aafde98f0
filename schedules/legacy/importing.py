"""One import from beginning to end; a trial is undone at its end."""

from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from channels.models import Account
from orgs.clock import database_now
from schedules.legacy import campaigns, kb_schedule, videos
from schedules.legacy.pictures import Pictures
from schedules.legacy.places import Places
from schedules.legacy.reading import Source, Unusable
from schedules.legacy.report import Report
from schedules.legacy.take_campaigns import Into, take_campaigns
from schedules.legacy.take_logs import take_logs
from schedules.legacy.take_schedules import expect_rooms, take_schedules
from schedules.legacy.take_videos import Announcement, take_videos
from schedules.legacy.taking import Import, Progress

TABLES = (kb_schedule.TABLE, kb_schedule.LOGS, campaigns.TABLE, videos.TABLE)


@dataclass(frozen=True)
class Wish:
    """What is to be imported, and into what."""

    name: str  # of the source: ids are told apart by it
    account: Account | None
    into: Into | None
    announcement: Announcement | None = None
    images: Path | None = None
    tables: Collection[str] = TABLES
    is_paused: bool = False
    is_trial: bool = False
    zone: str = ""


def run_import(
    source: Source, wish: Wish, *, by: Any, begin: Callable[[str, int | None], Progress]
) -> Report:
    """Take over what is not here yet. Raises Unusable; what was taken by then stays, and the
    next import goes on from there."""
    found = [table for table in TABLES if table in wish.tables and table in source.tables()]
    if not found:
        raise Unusable(f"None of these tables is there: {', '.join(wish.tables)}.")
    _refuse_gaps(found, wish)
    with transaction.atomic() if wish.is_trial else nullcontext():
        report = _take(source, found, wish, by, begin)
        if wish.is_trial:
            transaction.set_rollback(True)
    return report


def _refuse_gaps(tables: list[str], wish: Wish) -> None:
    if kb_schedule.TABLE in tables and wish.account is None:
        raise Unusable("Name the account that its rooms belong to: --account NAME.")
    if kb_schedule.LOGS in tables and wish.account is None:
        raise Unusable("Name the account through which was sent: --account NAME.")
    if campaigns.TABLE in tables and wish.into is None:
        raise Unusable("Name the unit that the campaigns belong to: --unit CODE.")
    if videos.TABLE in tables and wish.announcement is None:
        raise Unusable("Name the unit that the times of videos belong to: --unit CODE.")


def _take(
    source: Source,
    tables: list[str],
    wish: Wish,
    by: Any,
    begin: Callable[[str, int | None], Progress],
) -> Report:
    report = Report()
    pictures = Pictures(wish.images, is_trial=wish.is_trial)
    now = database_now()
    places = Places(wish.account)
    taking = Import(wish.name, now, by, places, pictures, report, is_paused=wish.is_paused)
    for table in tables:
        report.count(table, "taken", 0)
        _take_table(table, source, wish, taking, begin(table, source.count(table)))
    report.rooms_added, report.images_stored = places.added, pictures.stored
    return report


def _take_table(table: str, source: Source, wish: Wish, taking: Import, progress: Progress) -> None:
    rows = source.rows(table)
    if table == campaigns.TABLE:
        assert wish.into is not None
        take_campaigns(rows, ZoneInfo(wish.zone or campaigns.ZONE), wish.into, taking, progress)
        return
    if table == videos.TABLE:
        assert wish.announcement is not None
        zone = ZoneInfo(wish.zone or wish.announcement.unit.zone)
        take_videos(rows, zone, wish.announcement, taking, progress)
        return
    zone = ZoneInfo(wish.zone or kb_schedule.ZONE)
    if table == kb_schedule.TABLE:
        expect_rooms(source.rows(table), zone, taking)
        take_schedules(rows, zone, taking, progress)
    else:
        take_logs(rows, zone, taking, progress)
