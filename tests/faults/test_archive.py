"""The log is archived while what an outage has missed is being written into it."""

import contextlib
from datetime import timedelta

import pytest
from django.conf import settings as django_settings

from orgs.clock import database_now
from schedules.archive.months import to_archive
from schedules.archive.put import put
from schedules.archive.read import read
from schedules.archive.trouble import Trouble
from schedules.models import ArchivedRun, Run, Schedule
from tests.faults.test_outages import had_been_down, pass_over

pytestmark = pytest.mark.django_db(transaction=True)

OUTAGE = timedelta(days=100)  # a month of it is old enough for the archive, whatever today is


def archive_all() -> int:
    """What the command does; how many runs it has moved. What is not counted yet is left."""
    now, moved = database_now(), 0
    for month in to_archive(now, keep=1):
        with contextlib.suppress(Trouble):
            moved += put(month, now=now, progress=lambda _count: None).runs
    return moved


@pytest.mark.timeout(300)
def test_archiving_during_a_catch_up_loses_and_doubles_nothing(
    workers, bookings, vendors, settings, tmp_path
):
    settings.TEIJI_ARCHIVE_ROOT = tmp_path / "archive"
    often = bookings.once(vendors.rooms(1, 0), 3600, timing_kind="interval", every_minutes=180)
    bookings.expected.clear()
    had_been_down(often, OUTAGE)
    since = database_now()
    members = [workers.worker(), workers.worker()]
    present = bookings.once(vendors.rooms(2, 2), 4)
    moved = 0
    behind = Schedule.objects.filter(pk=often.pk, next_due_at__lt=since)
    while behind.exists():
        moved += archive_all()
    pass_over(present)
    bookings.wait_until_settled()
    while not (more := archive_all()) and not moved:
        pass  # the figures come first
    moved += more
    assert [member.name for member in members if member.ended is not None] == []
    slots = OUTAGE // timedelta(hours=3)
    live = set(Run.objects.filter(schedule=often, due_at__lte=since).values_list("due_at", flat=1))
    kept = {read(row).run.due_at for row in ArchivedRun.objects.select_related("month")}
    assert len(kept) == moved > 8 * 28
    assert not live & kept
    assert slots - 1 <= len(live | kept) <= slots + 1
    present.refresh_from_db()
    assert Run.objects.get(schedule=present).state == "sent"
    late = timedelta(seconds=django_settings.TEIJI_GRACE_SECONDS)
    sent = Run.objects.filter(schedule=often, state="sent", due_at__lte=since)
    assert all(run.due_at >= since - late - timedelta(minutes=1) for run in sent)
    assert len(vendors.accepted) == 4 + sent.count()
