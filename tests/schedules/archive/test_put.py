"""What is old moves from the log into the archive: whole, once, and not what is still needed."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.models import Attempt
from orgs.clock import database_now
from schedules.actions import register
from schedules.archive import files, lines
from schedules.archive import put as put_module
from schedules.archive.months import month_of, to_archive
from schedules.archive.put import put
from schedules.archive.read import read
from schedules.archive.trouble import Trouble
from schedules.dispatch.plan import plan
from schedules.models import (
    ArchivedMonth,
    ArchivedRun,
    Delivery,
    LeftOpen,
    QuarterCount,
    QuartersCounted,
    Run,
    Schedule,
)
from schedules.outcomes.keep import AGAIN_EVERY, keep_up, note_changes
from tests.schedules.archive.conftest import AT, JULY, move_july

pytestmark = pytest.mark.django_db


def values_of(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in lines.columns_of(type(row))}


def test_what_is_moved_is_in_the_archive_exactly_as_it_was(old):
    delivery = Delivery.objects.get(pk=old(error="“No”\n\x7f", members=None).pk)
    run = Run.objects.get()
    attempts = list(Attempt.objects.order_by("id"))
    moved = move_july()
    assert (moved.runs, moved.deliveries, moved.attempts, moved.left) == (1, 1, 2, 0)
    assert not Run.objects.exists() and not Delivery.objects.exists()
    assert not Attempt.objects.exists()
    found = read(ArchivedRun.objects.get())
    assert values_of(found.run) == values_of(run)
    ((kept, tries),) = found.sent
    assert values_of(kept) == values_of(delivery)
    assert [values_of(one) for one in tries] == [values_of(one) for one in attempts]


def test_any_gzip_and_json_reads_a_month_and_its_manifest_says_what_is_in_it(old, root):
    old(), old(state="failed")
    move_july()
    text = gzip.decompress((root / "2024-07.jsonl.gz").read_bytes()).decode()
    sorts = [json.loads(line)["is"] for line in text.splitlines()]
    assert sorts == ["run", "delivery", "attempt", "attempt"] * 2
    said = json.loads((root / "2024-07.manifest.json").read_text())
    assert (said["runs"], said["deliveries"], said["attempts"]) == (2, 2, 4)
    assert said["sha256"] == files.digest_of(root / "2024-07.jsonl.gz")


@pytest.mark.parametrize("state", ["planned", "sending", "unconfirmed"])
def test_what_is_not_over_or_waits_for_a_person_stays(old, state):
    old()
    waiting = old(state=state)
    assert move_july().left == 1
    assert list(Delivery.objects.values_list("pk", flat=True)) == [waiting.pk]


def test_what_a_person_has_left_open_goes_with_its_run(old):
    delivery = old(state="unconfirmed", completed_at=AT)
    LeftOpen.objects.create(delivery=delivery, completed_at=AT, at=AT, by="someone")
    assert move_july().runs == 1
    assert not LeftOpen.objects.exists()


def test_a_month_that_a_catch_up_may_still_ask_for_is_refused(old):
    now = database_now()
    with pytest.raises(Trouble, match="too young"):
        put(month_of(now), now=now, progress=lambda _count: None)


def test_what_is_not_in_the_figures_yet_is_not_moved(old):
    old()
    QuartersCounted.objects.update(until=AT)
    with pytest.raises(Trouble, match="not in the figures"):
        move_july()
    assert Run.objects.exists()


def test_a_later_change_in_an_archived_quarter_leaves_its_figures(old, world):
    gone, stays = old(), old(state="unconfirmed")
    now = database_now()
    QuartersCounted.objects.update(until=AT - timedelta(days=1), turned_at=AT)
    while keep_up(now):
        pass
    counted = sorted(QuarterCount.objects.values_list("unit_path", "sent", "unconfirmed"))
    assert counted and gone.run_id != stays.run_id
    move_july()
    note_changes([stays.due_at], now)
    while keep_up(now + 2 * AGAIN_EVERY):
        pass
    assert sorted(QuarterCount.objects.values_list("unit_path", "sent", "unconfirmed")) == counted


def test_who_dies_between_file_and_commit_loses_and_doubles_nothing(old, monkeypatch, root):
    old(), old()

    def die(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ArchivedRun.objects, "bulk_create", die)
        with pytest.raises(KeyboardInterrupt):
            move_july()
    assert Run.objects.count() == 2 and not ArchivedRun.objects.exists()
    assert (root / "2024-07.jsonl.gz").stat().st_size > 0
    move_july()
    assert ArchivedRun.objects.count() == 2
    text = gzip.decompress((root / "2024-07.jsonl.gz").read_bytes())
    assert text.count(b'{"is":"run"') == 2


def test_a_file_that_is_shorter_than_the_database_knows_is_not_written_to(old, root):
    old()
    move_july()
    old()
    (root / "2024-07.jsonl.gz").write_bytes(b"")
    with pytest.raises(Trouble, match="Put the file back"):
        move_july()
    assert Run.objects.count() == 1


def test_a_month_takes_what_comes_over_later(old):
    old()
    waiting = old(state="unconfirmed")
    move_july()
    Delivery.objects.filter(pk=waiting.pk).update(state="sent")
    move_july()
    assert ArchivedMonth.objects.get().runs == 2
    assert {read(row).run.pk for row in ArchivedRun.objects.all()} == set(
        ArchivedRun.objects.values_list("pk", flat=True)
    )


def test_a_large_run_is_read_some_deliveries_at_a_time_the_worst_first(old, world):
    first = old(state="sent")
    Run.objects.update(total=3)
    for state, room in (("failed", world.test_room), ("skipped", world.tainan_room)):
        values = values_of(first) | {"id": None, "room_id": room.pk, "room_name": f"z {room}"}
        Delivery.objects.create(**values | {"state": state})
    move_july()
    row = ArchivedRun.objects.get()
    whole = read(row)
    assert [sent.delivery.state for sent in whole.sent] == ["failed", "sent", "skipped"]
    parts = [read(row, start=start, most=2) for start in (0, 2)]
    assert [sent.delivery for part in parts for sent in part.sent] == [
        sent.delivery for sent in whole.sent
    ]
    assert [part.has_more for part in parts] == [True, False]


def test_moving_thirty_runs_asks_as_often_as_moving_one(old):
    def asked(count: int) -> int:
        for _ in range(count):
            old()
        with CaptureQueriesContext(connection) as queries:
            move_july()
        return len(queries)

    asked(1)  # the month is new
    few = asked(1)
    assert asked(30) == few


def test_the_log_keeps_the_last_whole_months(old):
    now = database_now()
    old()
    old(at=now - timedelta(days=70))
    months = list(to_archive(now, keep=13))
    assert months == [JULY]
    assert list(to_archive(now, keep=100)) == []


def test_an_archived_occurrence_is_never_sent_again(old, world, make_schedule):
    """Its key has gone with it; what is so old is missed, whatever asks for it."""
    schedule = register(make_schedule(timing_kind="daily", date=None), by=world.people["xinyi"])
    due_at = AT.replace(microsecond=0)
    run = Run.objects.get(pk=old().run_id)
    Run.objects.filter(pk=run.pk).update(schedule=schedule, due_at=due_at)
    move_july()
    Schedule.objects.filter(pk=schedule.pk).update(next_due_at=due_at)
    plan(database_now())
    assert set(Run.objects.values_list("state", "reason")) == {("skipped", "missed")}
    assert not Delivery.objects.filter(state="planned").exists()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sent", "failed", "skipped", "unconfirmed", "planned"]),
            st.text(max_size=20).filter(lambda text: "\x00" not in text),
        ),
        max_size=8,
    ),
    st.integers(1, 4),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_run_is_in_the_log_or_in_the_archive(old, monkeypatch, kinds, size):
    monkeypatch.setattr(put_module, "RUNS_A_MEMBER", size)
    made = {old(state=state, error=error).run_id: error for state, error in kinds}
    move_july()
    live = set(Run.objects.values_list("pk", flat=True))
    kept = {row.pk: read(row) for row in ArchivedRun.objects.select_related("month")}
    assert not live & set(kept)
    assert set(made) <= live | set(kept)
    for pk, error in made.items():
        if pk in kept:
            assert [sent.delivery.error for sent in kept[pk].sent] == [error]
