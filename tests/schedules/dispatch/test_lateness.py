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
from orgs.moments import written
from schedules.actions import Verdict, resolve
from schedules.actions.freeze import freeze, unfreeze
from schedules.actions.pause_run import pause_run, resume_run
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import take_back
from schedules.models import Delivery, Run
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


def hold_clock(monkeypatch: Any, at: datetime) -> None:
    """People act at this moment."""
    monkeypatch.setattr("schedules.actions.freeze.database_now", lambda: at)
    monkeypatch.setattr("schedules.actions.pause_run.database_now", lambda: at)


@pytest.fixture
def frozen_for(world: World, monkeypatch: Any) -> Any:
    """Freeze it from one moment to another, by those of headquarters."""

    def do(subject: Any, since: datetime, until: datetime) -> None:
        hold_clock(monkeypatch, since)
        row = freeze(subject, by=world.people["hq"], why="wrong prices")
        hold_clock(monkeypatch, until)
        unfreeze(row, by=world.people["hq"], why="mended")

    return do


@pytest.fixture
def paused_for(world: World, monkeypatch: Any) -> Any:
    def do(run: Run, since: datetime, until: datetime) -> None:
        hold_clock(monkeypatch, since)
        pause_run(run, by=world.people["xinyi"])
        hold_clock(monkeypatch, until)
        resume_run(run, by=world.people["xinyi"])

    return do


def sent_at(at: datetime) -> None:
    (claimed,) = on_the_wire(at)
    settle([accepted(claimed, at)])


@pytest.mark.parametrize("what", ["unit", "above", "account", "pause"])
def test_what_people_held_counts_from_when_they_let_it_go(
    world: World, planned: Any, frozen_for: Any, paused_for: Any, what: str
) -> None:
    (delivery,) = planned()
    until = delivery.due_at + timedelta(minutes=5)
    subjects = {"unit": world.xinyi, "above": world.north, "account": world.sandbox}
    hold = paused_for if what == "pause" else frozen_for
    hold(subjects.get(what, delivery.run), delivery.due_at - SECOND, until)
    at = until + timedelta(milliseconds=130)
    sent_at(at)
    assert told(world, at) == [130]


def test_a_room_below_is_held_by_the_freeze_of_its_own_unit(
    world: World, planned: Any, frozen_for: Any
) -> None:
    (delivery,) = planned(unit=world.taipei)
    assert delivery.unit_path == world.taipei.path
    frozen_for(world.xinyi, delivery.due_at - SECOND, delivery.due_at + 60 * SECOND)
    sent_at(delivery.due_at + 61 * SECOND)
    assert Delivery.objects.get().lateness_ms == 1000


def test_what_was_late_before_it_was_held_stays_late(
    world: World, planned: Any, frozen_for: Any
) -> None:
    (delivery,) = planned()
    frozen_for(world.xinyi, delivery.due_at + 20 * SECOND, delivery.due_at + 50 * SECOND)
    sent_at(delivery.due_at + 60 * SECOND)
    assert Delivery.objects.get().lateness_ms == 30_000


def test_of_holds_that_overlap_each_moment_is_taken_off_once(
    world: World, planned: Any, frozen_for: Any, paused_for: Any
) -> None:
    (delivery,) = planned()
    due_at = delivery.due_at
    frozen_for(world.xinyi, due_at, due_at + 30 * SECOND)
    frozen_for(world.sandbox, due_at + 10 * SECOND, due_at + 20 * SECOND)
    paused_for(delivery.run, due_at + 20 * SECOND, due_at + 40 * SECOND)
    paused_for(delivery.run, due_at + 50 * SECOND, due_at + 60 * SECOND)
    sent_at(due_at + 61 * SECOND)
    assert Delivery.objects.get().lateness_ms == 11_000


@pytest.mark.parametrize("whose", ["other unit", "other account", "other run", "before"])
def test_what_held_others_or_was_over_excuses_nothing(
    world: World, planned: Any, frozen_for: Any, paused_for: Any, whose: str
) -> None:
    (delivery,) = planned()
    (other,) = planned(title="Other", text="Other", due_in=7200)
    span = (delivery.due_at, delivery.due_at + 50 * SECOND)
    if whose == "other unit":
        frozen_for(world.tainan, *span)
    elif whose == "other account":
        mine = Account.objects.create(unit=world.hq, name="Other", kind="sandbox")
        frozen_for(mine, *span)
    elif whose == "other run":
        paused_for(other.run, *span)
    else:
        frozen_for(world.xinyi, delivery.due_at - 50 * SECOND, delivery.due_at)
    sent_at(delivery.due_at + 60 * SECOND)
    delivery.refresh_from_db()
    assert delivery.lateness_ms == 60_000


@pytest.mark.parametrize("what", ["freeze", "pause"])
def test_what_was_given_back_goes_as_soon_as_it_is_let_go(
    world: World, planned: Any, frozen_for: Any, paused_for: Any, what: str
) -> None:
    """And not only when a worker would have looked at it anew."""
    (delivery,) = planned()
    until = delivery.due_at + SECOND
    again_at = delivery.due_at + 5 * SECOND
    Delivery.objects.update(reason="frozen" if what == "freeze" else "paused", next_try_at=again_at)
    hold = frozen_for if what == "freeze" else paused_for
    hold(world.xinyi if what == "freeze" else delivery.run, delivery.due_at, until)
    assert Delivery.objects.get().next_try_at == until


def test_the_page_of_a_run_says_who_held_it_and_from_when_until_when(
    world: World, planned: Any, client: Client, frozen_for: Any, paused_for: Any
) -> None:
    (delivery,) = planned()
    due_at = delivery.due_at.replace(microsecond=0)
    frozen_for(world.sandbox, due_at, due_at + 60 * SECOND)
    paused_for(delivery.run, due_at + 60 * SECOND, due_at + 90 * SECOND)
    frozen_for(world.tainan, due_at, due_at + 60 * SECOND)
    sent_at(due_at + 92 * SECOND)
    client.force_login(world.people["xinyi"])
    page = client.get(f"/admin/schedules/run/{delivery.run_id}/change/").content.decode()
    said = [" ".join(re.sub("<[^>]+>", " ", part).split()) for part in page.split("</p>")]
    zone = delivery.run.zone
    first, second, third = (written(due_at + n * SECOND, zone) for n in (0, 60, 90))
    (freeze_told,) = [part for part in said if "lifted it" in part]
    assert (
        f"hq froze “{world.sandbox} ({world.sandbox.unit})” from {first} until {second}, when hq"
        in freeze_told
    )
    (pause_told,) = [part for part in said if "let it go on" in part]
    assert f"xinyi paused this run from {second} until {third}, when xinyi" in pause_told
    assert "Held back by people 1 minute Lateness +2" in " ".join(said)


def test_a_run_that_nobody_held_says_nothing_of_it(
    world: World, planned: Any, client: Client, frozen_for: Any
) -> None:
    (delivery,) = planned()
    frozen_for(world.xinyi, delivery.due_at - 60 * SECOND, delivery.due_at - SECOND)
    sent_at(delivery.due_at)
    client.force_login(world.people["xinyi"])
    page = client.get(f"/admin/schedules/run/{delivery.run_id}/change/").content.decode()
    assert "lifted it" not in page
    assert "Held back by people" not in page


def test_the_page_names_the_freeze_of_a_room_s_own_unit(
    world: World, planned: Any, client: Client, frozen_for: Any
) -> None:
    (delivery,) = planned(unit=world.taipei)
    frozen_for(world.xinyi, delivery.due_at, delivery.due_at + 60 * SECOND)
    sent_at(delivery.due_at + 61 * SECOND)
    client.force_login(world.people["taipei"])
    page = client.get(f"/admin/schedules/run/{delivery.run_id}/change/").content.decode()
    assert f"hq froze “{world.xinyi}”" in page
