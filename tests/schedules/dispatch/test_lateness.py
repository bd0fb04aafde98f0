"""Which try counts for punctuality, and that every place tells the same of it."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from channels.adapters.base import Receipt, later, unknown
from channels.models import Account
from logs.models import Attempt
from logs.stats.punctuality import report, since_ever
from schedules.actions import Verdict, resolve
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import take_back
from schedules.models import Delivery
from tests.conftest import World
from tests.schedules.conftest import SECOND, accepted, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db


def told(world: World, now: datetime) -> list[int | None]:
    """The lateness by the delivery, the attempts, the page and the metrics: those that differ."""
    channels = since_ever().values()
    return list(
        dict.fromkeys(
            [
                Delivery.objects.get().lateness_ms,
                Attempt.objects.filter(lateness_ms__isnull=False)
                .values_list("lateness_ms", flat=True)
                .first(),
                report(world.people["xinyi"], now).total.worst_ms,
                next((figures.worst_ms for figures in channels), None),
            ]
        )
    )


def retry(at: datetime) -> Any:
    Delivery.objects.update(next_try_at=at)
    (claimed,) = on_the_wire(at)
    return claimed


def known(claimed: Any, at: datetime, request_id: str = "") -> Outcome:
    receipt = Receipt(status=409, request_id=request_id, already=True)
    return Outcome(claimed, True, False, answered_at=at, handed_at=at, receipt=receipt)


def test_a_first_try_that_is_accepted_counts(world, planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    at = delivery.due_at + timedelta(milliseconds=120)
    settle([accepted(claimed, at)])
    assert told(world, at) == [120]


def test_a_retry_by_the_machine_counts_with_the_time_of_its_hand_over(world, planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, later("busy"))])
    at = delivery.due_at + 90 * SECOND
    settle([accepted(retry(at), at)])
    assert told(world, at) == [90_000]


@pytest.mark.parametrize(
    "case",
    [
        ([later("busy"), unknown("no answer")], "r-9", 1),
        ([unknown("no answer"), later("busy")], "r-9", 0),
        ([unknown("broken", request_id="r-1"), unknown("broken", request_id="r-2")], "r-2", 1),
        ([unknown("broken", request_id="r-1"), unknown("broken", request_id="r-2")], "r-1", 0),
        ([unknown("no answer"), unknown("broken", request_id="r-2")], "r-9", 0),
        ([unknown("no answer"), unknown("no answer")], "r-9", 1),
    ],
)
def test_with_a_known_key_it_is_the_try_that_may_have_been_accepted(client, world, planned, case):
    """One that was told to come back was not; which of several it was the channel may say."""
    answers, named, counted = case
    planned()
    times = []
    for answer in answers:
        times.append(Delivery.objects.get().next_try_at + timedelta(milliseconds=30))
        settle([not_accepted(retry(times[-1]), times[-1], answer)])
    at = times[-1] + 90 * SECOND
    settle([known(retry(at), at, named)])
    delivery = Delivery.objects.get()
    late = times[counted] - delivery.due_at
    assert told(world, at) == [late // timedelta(milliseconds=1)]
    on_the_wire_at = times_on_page(client, world, delivery)["On the wire"]
    assert f"{times[counted]:%H:%M:%S.%f}"[:-3] in on_the_wire_at


def test_with_a_known_key_it_is_the_first_try_that_counts(world, planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    first = delivery.due_at + timedelta(milliseconds=30)
    settle([not_accepted(claimed, first, unknown("no answer"))])
    at = delivery.due_at + 90 * SECOND
    settle([known(retry(at), at)])
    assert told(world, at) == [30]
    assert Attempt.objects.get(outcome="accepted").wire_at == at


def test_later_parts_have_no_appointed_time(world, planned):
    Account.objects.update(config={"per_request": 1})
    (delivery,) = planned(text="One")
    Delivery.objects.update(parts=2)
    (claimed,) = on_the_wire(delivery.due_at)
    at = delivery.due_at + timedelta(milliseconds=70)
    settle([accepted(claimed, at)])
    run = delivery.run
    run.payloads = {key: parts * 2 for key, parts in run.payloads.items()}
    run.save()
    settle([accepted(retry(at + SECOND), at + SECOND)])
    assert Delivery.objects.get().state == "sent"
    assert Attempt.objects.count() == 2
    assert told(world, at) == [70]
    assert report(world.people["xinyi"], at).total.count == 1


@pytest.mark.parametrize("is_busy_first", [False, True])
def test_what_a_person_sends_again_counts_nowhere(world, planned, is_busy_first):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"), takes_key=False)])
    resolve(Delivery.objects.get(), Verdict.SEND_AGAIN, by=world.people["xinyi"])
    at = delivery.due_at + timedelta(hours=2)
    again = retry(at)
    if is_busy_first:  # the machine's retry of a person's try is no less that person's
        settle([not_accepted(again, at, later("busy"))])
        at += 60 * SECOND
        again = retry(at)
    settle([accepted(again, at)])
    assert Delivery.objects.get().state == "sent"
    assert told(world, at) == [None]


def test_what_never_was_accepted_counts_nowhere(world, planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"), takes_key=False)])
    resolve(Delivery.objects.get(), Verdict.ARRIVED, by=world.people["xinyi"])
    assert told(world, delivery.due_at) == [None]


def times_on_page(client: Client, world: World, delivery: Delivery) -> dict[str, str]:
    client.force_login(world.people["xinyi"])
    page = client.get(f"/admin/schedules/run/{delivery.run_id}/change/").content.decode()
    part = page.partition('<dl class="late-times">')[2].partition("</dl>")[0]
    pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", part, re.DOTALL)
    return {name: re.sub(r"<[^>]*>", "", value).strip() for name, value in pairs}


def test_the_page_of_a_run_tells_four_times_to_the_millisecond_with_their_zone(
    client, world, planned
):
    (delivery,) = planned(zone="Asia/Taipei", due_in=10 * 3600)
    (claimed,) = on_the_wire(delivery.due_at)
    before = times_on_page(client, world, delivery)
    assert (before["On the wire"], before["Accepted"]) == ("–", "–")
    handed = delivery.due_at + timedelta(milliseconds=87)
    answered = handed + timedelta(milliseconds=30)
    receipt = Receipt(status=200)
    settle([Outcome(claimed, True, False, answered_at=answered, handed_at=handed, receipt=receipt)])
    after = times_on_page(client, world, delivery)
    assert re.fullmatch(r"\S+ \(\w+\) \d\d:\d\d:\d\d\.000 Asia/Taipei", after["Appointed"])
    assert after["Claimed"].endswith(".000 Asia/Taipei")
    assert after["On the wire"].endswith(".087 Asia/Taipei")
    assert (before["Lateness"], after["Lateness"]) == ("–", "+87 ms")
    assert after["Accepted"].endswith(".117 Asia/Taipei")


def test_with_a_known_key_the_page_tells_when_the_first_try_was_on_the_wire(client, world, planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    first = delivery.due_at + timedelta(milliseconds=30)
    settle([not_accepted(claimed, first, unknown("no answer"))])
    at = delivery.due_at + 90 * SECOND
    settle([known(retry(at), at)])
    assert times_on_page(client, world, delivery)["On the wire"].endswith(".030 UTC")


def test_of_a_worker_that_died_nobody_knows_when_it_handed_over(world, planned):
    """Its mark is made ahead of the second: taken for the hand-over it would look early."""
    (delivery,) = planned()
    ahead = delivery.due_at - timedelta(milliseconds=300)
    on_the_wire(ahead)
    at = delivery.due_at + 60 * SECOND
    take_back(at)
    assert Delivery.objects.get().started_at == delivery.due_at
    settle([known(retry(at), at)])
    assert Delivery.objects.get().state == "sent"
    assert told(world, at) == [None]
    assert sum(figures.early for figures in since_ever().values()) == 0
