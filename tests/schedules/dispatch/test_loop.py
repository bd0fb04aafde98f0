"""The whole way: registered, planned, claimed, sent, settled."""

import pytest

from channels.models import SandboxMessage
from logs.models import Attempt, History
from schedules.actions import execute, register
from schedules.models import Delivery, Run

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


def test_run_now_sends_besides_the_timing(world, make_schedule, dispatch):
    schedule = register(make_schedule(), by=world.people["xinyi"])
    execute(schedule, by=world.people["xinyi"])
    dispatch()
    assert SandboxMessage.objects.count() == 1
    schedule.refresh_from_db()
    assert schedule.state == "active" and schedule.next_due_at is not None
