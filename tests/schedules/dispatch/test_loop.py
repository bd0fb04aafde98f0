"""The whole way: registered, planned, claimed, sent, settled."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import DataError, OperationalError

from channels.adapters.sandbox import SandboxAdapter
from channels.models import SandboxMessage
from logs.models import Attempt, History
from orgs.clock import database_now
from schedules.actions import execute, register
from schedules.dispatch import claim as claim_module
from schedules.dispatch import clock as clock_module
from schedules.dispatch import handover
from schedules.dispatch import loop as loop_module
from schedules.dispatch.loop import HUNG_AFTER, Loop
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Heartbeat, Run
from tests.schedules.conftest import accepted, on_the_wire

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_schedule_for_now_arrives_once_and_is_proved(world, make_schedule, dispatch):
    schedule = register(make_schedule(timing_kind="now"), by=world.people["xinyi"])
    dispatch()
    message = SandboxMessage.objects.get()
    assert message.body == {"kind": "text", "text": "Good morning"}
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.part, delivery.tries) == ("sent", 1, 1)
    assert 0 <= delivery.lateness_ms < 5000
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.schedule_id) == ("accepted", schedule.pk)
    run = Run.objects.get()
    assert (run.state, run.sent, run.total) == ("sent", 1, 1)
    schedule.refresh_from_db()
    assert schedule.state == "completed"
    assert set(History.objects.values_list("verb", flat=True)) == {"created", "sent", "completed"}


def test_a_second_dispatch_sends_nothing_more(world, make_schedule, dispatch):
    register(make_schedule(timing_kind="now"), by=world.people["xinyi"])
    dispatch()
    assert dispatch() == 0
    assert SandboxMessage.objects.count() == 1


def test_a_clock_that_jumps_just_after_the_fence_has_looked_makes_nothing_due(
    world, make_schedule, dispatch, monkeypatch
):
    """It looks each second; what the clock says in between is not believed before."""
    register(make_schedule(due_in=3 * 3600 - 5), by=world.people["xinyi"])
    jumped = timedelta(hours=3)
    monkeypatch.setattr(clock_module, "database_now", lambda: database_now() + jumped)
    assert dispatch() == 0
    assert not Run.objects.exists()


def test_run_now_sends_besides_the_timing(world, make_schedule, dispatch):
    schedule = register(make_schedule(), by=world.people["xinyi"])
    execute(schedule, by=world.people["xinyi"])
    dispatch()
    assert SandboxMessage.objects.count() == 1
    schedule.refresh_from_db()
    assert schedule.state == "active" and schedule.next_due_at is not None


def test_a_loop_whose_hand_over_fails_ends_and_says_why(world, make_schedule, monkeypatch):
    """So that another takes its place: one that waits for ever would look alive."""

    def broken(_claimed, _now):
        raise DataError("one row")

    monkeypatch.setattr(handover, "mark_wire", broken)
    register(make_schedule(timing_kind="now"), by=world.people["xinyi"])

    async def main() -> None:
        async with asyncio.timeout(20):
            await Loop().run()

    with pytest.raises(DataError):
        asyncio.run(main())
    given_back = Delivery.objects.values_list("state", "claim", "wire_at", "crashes")
    assert list(given_back) == [("planned", None, None, 0)]


def test_a_delivery_without_content_fails_alone(world, make_schedule, dispatch):
    for text in ("Good", "Damaged"):
        draft = make_schedule(timing_kind="now", text=text, title=text)
        register(draft, by=world.people["xinyi"])
    plan(database_now())
    Run.objects.filter(title="Damaged").update(payloads={})
    dispatch()
    states = dict(Delivery.objects.values_list("run__title", "state"))
    assert states == {"Good": "sent", "Damaged": "failed"}
    assert Run.objects.get(title="Damaged").state == "failed"


def test_a_channel_that_does_not_answer_a_question_holds_up_nothing(
    world, make_schedule, settings, monkeypatch
):
    """A worker that waited for it would plan nothing meanwhile, and give no signs of life."""
    settings.TEIJI_CONFIRM_SECONDS = 0
    asked = asyncio.Event()

    async def silent(_adapter, _part) -> None:
        asked.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(SandboxAdapter, "confirm", silent)
    register(make_schedule(timing_kind="now"), by=world.people["xinyi"])

    async def main() -> None:
        worker = Loop("patient")
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(20):
            await asked.wait()
            asked_at = worker.clock.now()
            while await sync_to_async(last_sign_of)("patient") <= asked_at:
                await asyncio.sleep(0.05)
        worker.stop()
        await running

    asyncio.run(main())
    assert Delivery.objects.get().state == "sent"


def test_two_loops_of_one_machine_have_different_names():
    assert Loop().name != Loop().name


def test_a_loop_whose_claimer_hangs_gives_no_sign_of_life(db, caplog):
    """Others take over what it holds, and /readyz finds it, though its upkeep goes on."""
    worker = Loop("hung")

    async def main() -> list[datetime]:
        seen = []
        try:
            for seconds in (0, HUNG_AFTER + 1):
                worker._round_at -= seconds
                await worker._beat()
                seen.append(await worker._database.call("upkeep", last_sign_of, worker.name))
        finally:
            await worker._database.close()
        return seen

    first, second = asyncio.run(main())
    assert first == second
    assert "worker hung hangs" in caplog.text


def last_sign_of(name: str) -> datetime:
    return Heartbeat.objects.get(name=name).at


def test_a_loop_that_stops_as_it_should_is_not_missed(world, dispatch):
    dispatch()
    assert not Heartbeat.objects.filter(kind=Heartbeat.Kind.LOOP).exists()


def test_a_claim_whose_answer_was_lost_with_the_connection_is_not_left_to_its_lease(
    planned, monkeypatch
):
    (delivery,) = planned()
    load = claim_module._load

    def lost(*_args):
        monkeypatch.setattr(claim_module, "_load", load)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(claim_module, "_load", lost)
    worker = Loop()
    monkeypatch.setattr(worker.clock, "now", lambda: delivery.due_at)
    with pytest.raises(OperationalError):
        worker._claim_more([], limit=10, full=[])
    (claimed,) = worker._claim_more([], limit=10, full=[])
    assert claimed.id == delivery.pk
    assert worker._claim_more([], limit=10, full=[]) == []


def test_an_outcome_that_cannot_be_written_does_not_take_others_with_it(
    world, planned, monkeypatch
):
    deliveries = planned(unit=world.hq, rooms=[world.room, world.tainan_room])
    bad, good = on_the_wire(deliveries[0].due_at)

    def refuse(outcomes):
        if bad in [outcome.claimed for outcome in outcomes]:
            raise DataError("one row")
        return settle(outcomes)

    monkeypatch.setattr(loop_module, "settle", refuse)
    worker = Loop()

    async def main() -> None:
        await worker._write([accepted(one, one.due_at) for one in (bad, good)])
        await worker._database.close()

    asyncio.run(main())
    states = dict(Delivery.objects.values_list("id", "state"))
    assert states == {bad.id: "sending", good.id: "sent"}
    assert worker.sent == 1


@pytest.mark.parametrize(("takes_key", "rounds"), [(True, 4), (False, 1)])
def test_only_answers_of_channels_with_keys_wait_for_what_is_due(
    planned, monkeypatch, takes_key, rounds
):
    """Lost with the worker, they are asked for again; any other would be in doubt."""
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    worker = Loop()
    looks = []

    def is_due(_now) -> bool:
        looks.append(1)
        return len(looks) < 4

    monkeypatch.setattr(worker._handover.waiting, "is_due", is_due)
    worker._take_in(replace(accepted(claimed, delivery.due_at), takes_key=takes_key))
    asyncio.run(worker._gather())
    assert len(looks) == rounds
