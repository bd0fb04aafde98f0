"""What is due once an hour is done once an hour, by whoever comes first, also with beat dead."""

from datetime import UTC, datetime, timedelta

import pytest

from schedules import tasks
from schedules.dispatch import hour
from schedules.models import Heartbeat, Installation

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 3, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def done(monkeypatch):
    """The moments at which the duties were done."""
    moments: list[datetime] = []
    monkeypatch.setattr(hour, "DUTIES", {"noted": lambda now: moments.append(now) or 0})
    return moments


def test_it_is_done_once_an_hour_however_many_ask(done):
    for now in (NOW, NOW, NOW + HOUR - timedelta(seconds=1), NOW + HOUR, NOW + HOUR):
        hour.turn(now)
    assert done == [NOW, NOW + HOUR]


def test_a_clock_that_was_put_back_far_does_not_stop_it(done):
    hour.turn(NOW + 5 * HOUR)
    assert hour.turn(NOW)


def test_a_copy_does_not_do_it(done):
    Installation.objects.create(
        pk=1, clock_at=NOW, fenced_at=NOW, reason=Installation.Reason.CLOCK_BACK
    )
    assert not hour.turn(NOW) and not done


def test_a_duty_that_fails_does_not_keep_the_others_from_being_done(done, monkeypatch, caplog):
    def fail(now):
        raise ValueError("no")

    monkeypatch.setattr(hour, "DUTIES", {"fails": fail, **hour.DUTIES})
    assert hour.turn(NOW)
    assert done == [NOW]
    assert "hour: fails: failed" in caplog.text


def test_beat_has_it_done(done, machine, monkeypatch):
    monkeypatch.setattr(tasks, "connect", lambda: None)  # the test's own is open
    assert tasks.hour() and len(done) == 1
    assert not tasks.hour()
    assert Heartbeat.objects.filter(kind=Heartbeat.Kind.HOUR).count() == 1


def test_each_duty_can_be_done_where_there_is_nothing():
    assert {name: duty(NOW) for name, duty in hour.DUTIES.items()} == dict.fromkeys(hour.DUTIES, 0)
