"""Each run is looked at once, by one worker, and trouble is told once: before the hour."""

import asyncio
from datetime import timedelta

import pytest
from django.utils.translation import gettext, override

from channels.models import Alert, Room
from orgs.clock import database_now
from schedules.actions import begin_edit, cancel, change
from schedules.actions.fence import own_installation, stop
from schedules.dispatch.loop import Loop
from schedules.dispatch.preflight.look import look
from schedules.dispatch.preflight.take import HOLD, take
from schedules.dispatch.preflight.write import write
from schedules.findings import What
from schedules.models import Delivery, Preflight, Schedule
from tests.schedules.at_once import at_once, start
from tests.schedules.dispatch.preflight.conftest import MINUTE, found, told, turn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.enable_socket]


EVERY_MINUTE = {"timing_kind": "interval", "every_minutes": 1, "date": None, "time": None}


def test_trouble_is_told_before_the_hour_and_not_again(coming, line, group, world):
    schedule = coming()
    line.left.add(group.address)
    for _ in range(3):
        turn()
    assert told() == [
        "Morning notice: The bot is not in the room “Group”. Invite the bot again, or take the "
        "room out of the schedule."
    ]
    alert = Alert.objects.get()
    assert (alert.unit_path, alert.raised_at < schedule.next_due_at) == (world.xinyi.path, True)
    assert alert.lines[0][0] == schedule.next_due_at.isoformat()


def test_what_goes_well_is_told_to_nobody(coming, line):
    coming()
    turn()
    assert told() == []


def test_a_run_is_looked_at_once_by_one_of_two_workers(coming, line):
    coming()
    now = database_now()
    taken = at_once(lambda: take(now), lambda: take(now))
    assert sorted(len(rows) for rows in taken) == [0, 1]


def test_what_was_looked_at_meanwhile_is_not_taken_again(coming, line):
    """A worker that read the row before another one wrote it."""
    coming()
    turn()
    assert take(database_now()) == []


def test_who_is_gone_loses_its_hold_and_changes_nothing_afterwards(coming, line):
    schedule = coming()
    now = database_now()
    (gone,) = take(now)
    assert take(now + MINUTE) == []
    (row,) = take(now + HOLD + MINUTE / 60)
    late = look([gone], now)
    late[0].find(What.LEFT, rooms=["Group"], count=1)
    write(late, now)
    assert told() == [] and Preflight.objects.get().looked_at is None
    write(look([row], now), now)
    assert found(schedule) == []


def test_the_next_time_is_looked_at_anew(coming, line, monkeypatch):
    schedule = coming(**EVERY_MINUTE)
    turn()
    first = Preflight.objects.get().due_at
    assert first == schedule.next_due_at
    Schedule.objects.filter(pk=schedule.pk).update(next_due_at=first + MINUTE)
    turn()
    assert Preflight.objects.get().due_at == first + MINUTE


def test_the_same_trouble_of_many_runs_is_told_once_and_daily_ones_each_day(coming, line, group):
    schedule = coming(**EVERY_MINUTE)
    line.left.add(group.address)
    first = schedule.next_due_at
    for minutes in (0, 1, 2, 24 * 60):
        due_at = first + minutes * MINUTE
        Schedule.objects.filter(pk=schedule.pk).update(next_due_at=due_at)
        turn(due_at - MINUTE)
    assert len(told()) == 2


def test_other_trouble_is_told_again(coming, line, group):
    schedule = coming()
    line.left.add(group.address)
    turn()
    Room.objects.filter(pk=group.pk).update(is_active=False)
    Preflight.objects.update(again_at=database_now())
    turn()
    assert [line.split(": ")[1][:12] for line in told()] == ["The bot is n", "The room “Gr"]
    assert found(schedule) == ["The room “Group” is inactive."]


def test_what_was_edited_since_is_looked_at_again(coming, line, world):
    schedule = coming()
    turn()
    looked_at = Preflight.objects.get().looked_at
    turn()
    assert Preflight.objects.get().looked_at == looked_at
    copy = begin_edit(schedule, by=world.people["hq"])
    Schedule.objects.filter(pk=copy.pk).update(text="Another")
    copy.refresh_from_db()
    change(copy, by=world.people["hq"])
    turn()
    assert Preflight.objects.get().looked_at > looked_at


def test_what_could_not_be_looked_at_is_tried_again_and_told_if_it_still_cannot_be(coming, line):
    coming()
    line.faults_of_questions.add("5xx_before", times=99)
    now = database_now()
    turn(now)
    turn(now + MINUTE)
    assert line.requests == {"/v2/bot/info": 1} and told() == []
    turn(now + 3 * MINUTE)
    (words,) = told()
    assert "It could not be looked at whether the credentials hold (LINE)" in words
    turn(now + 6 * MINUTE)
    assert len(told()) == 1


def test_a_channel_that_is_back_in_time_is_told_to_nobody(coming, line):
    schedule = coming()
    line.faults_of_questions.add("5xx_before")
    now = database_now()
    turn(now)
    turn(now + 3 * MINUTE)
    assert told() == [] and found(schedule) == []


@pytest.mark.parametrize("ended", ["cancelled", "fenced", "paused"])
def test_what_will_not_go_is_not_looked_at(coming, line, world, machine, ended):
    schedule = coming()
    if ended == "fenced":
        own_installation()
        stop(by=world.people["hq"], note="Wrong prices")
    elif ended == "cancelled":
        cancel(schedule, by=world.people["hq"])
    else:
        Schedule.objects.filter(pk=schedule.pk).update(next_due_at=None)
    turn()
    assert not Preflight.objects.exists()


def test_it_can_be_told_in_each_language(coming, line, group):
    coming()
    line.left.add(group.address)
    turn()
    ((_at, english),) = Alert.objects.get().said_in("en")[1]
    ((_at, korean),) = Alert.objects.get().said_in("ko")[1]
    assert "The bot is not in the room" in english
    with override("ko"):
        assert gettext("Invite the bot again, or take the room out of the schedule.") in korean


def test_many_that_are_due_at_once_are_all_looked_at_in_one_turn(coming, line, world):
    for number in range(25):
        coming(text=f"Text {number}", rooms=[world.room])
    turn()
    assert Preflight.objects.filter(looked_at__isnull=False).count() == 25


@pytest.mark.processes  # alone, for it is held by the clock
def test_a_worker_tells_the_trouble_before_the_hour_and_sends_all_the_same(
    coming, line, group, settings
):
    """End to end: the bot is put out of the group, which is told; invited again, it sends."""
    schedule = coming(due_in=30)  # a busy machine needs seconds to begin
    line.left.add(group.address)

    async def until(condition) -> None:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(lambda: start(condition).result(20)):
                await asyncio.sleep(0.1)

    async def main() -> None:
        loop = Loop("test")
        task = asyncio.create_task(loop.run())
        await until(lambda: Alert.objects.filter(kind="found", notice__isnull=False).exists())
        line.left.clear()
        await until(lambda: Delivery.objects.filter(state="sent").exists())
        loop.stop()
        await task

    asyncio.run(main())
    alert = Alert.objects.get()
    assert alert.notice.title == "Teiji: 1 problem was found before its time"
    assert alert.raised_at < schedule.next_due_at
    assert Delivery.objects.get().lateness_ms < 2000


def test_times_of_the_past_are_left_alone(coming, line):
    schedule = coming()
    turn(schedule.next_due_at + timedelta(seconds=1))
    assert not Preflight.objects.exists()
