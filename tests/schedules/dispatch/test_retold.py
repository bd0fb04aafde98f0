"""What a channel has said is told to administrators in their language."""

from datetime import UTC, datetime

import pytest
from django.utils.translation import override

from channels import alerts
from channels.adapters.base import refused
from channels.alerts import AlertKind
from channels.models import Alert
from logs.said import retell
from schedules.dispatch.settle import settle
from schedules.dispatch.stops import stop_refused
from schedules.findings import Finding, What
from schedules.models import Run
from schedules.runs import warn
from tests.schedules.conftest import not_accepted, on_the_wire

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 3, 30, tzinfo=UTC)
SAID = "The sandbox was told to refuse."


def told(language: str) -> str:
    """The only line of the only alert."""
    _name, [(_at, words)] = Alert.objects.get().said_in(language)
    return words


def in_korean(said: str) -> str:
    with override("ko"):
        words = retell(said)
    assert words != said
    return words


@pytest.fixture
def handed(planned):
    (delivery,) = planned()
    return on_the_wire(delivery.due_at)[0]


def test_a_refusal(handed):
    settle([not_accepted(handed, handed.due_at, refused(SAID))])
    assert told("ko") == f"Morning notice → Xinyi room: {in_korean(SAID)}"
    assert told("en") == f"Morning notice → Xinyi room: {SAID}"


def test_why_an_account_was_stopped(handed):
    stop_refused([not_accepted(handed, handed.due_at, refused(SAID, account_wide=True))])
    assert in_korean(SAID) in told("ko")
    assert SAID in told("en")


def test_what_a_channel_that_is_asked_will_never_send(planned):
    alerts.raise_all(warn.of_rows(planned(), AlertKind.FAILED, NOW, SAID), NOW)
    assert told("ko").endswith(in_korean(SAID))


def test_why_a_run_does_not_fit(world, make_schedule):
    short = "LINE: needs 37; 36 left in 2027-04; 1 short"
    run = Run.objects.create(
        schedule=make_schedule(), due_at=NOW, planned_at=NOW, title="Morning", zone="UTC",
        unit_path=world.xinyi.path, state="skipped", reason="quota", detail=short,
    )  # fmt: skip
    alerts.raise_all(warn._of_runs([run.pk]), NOW)
    assert told("en").endswith(f"{run.get_reason_display()}: {short}")
    assert told("ko").endswith(f": {in_korean(short)}")


def test_what_was_found_before_the_hour():
    finding = Finding(What.REFUSED, {"channel": "Sandbox", "why": SAID})
    with override("ko"):
        assert in_korean(SAID) in finding.words
    assert SAID in finding.words
