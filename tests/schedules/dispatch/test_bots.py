"""Whole workers before a room bot's device, which keeps only the newest of what waits."""

import asyncio
from itertools import pairwise

import pytest

from channels.models import Account, Room
from channels.sandbox import visiting
from logs.models import Attempt
from schedules.actions import register
from schedules.dispatch.loop import Loop
from schedules.models import Delivery, Run
from tests.fakes.faults import FaultKind
from tests.fakes.iris import IrisFake
from tests.fakes.serving import serving
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db(transaction=True)

PAUSE = 0.3  # the shortest that an account may have
NOW = {"timing_kind": "now", "date": None, "time": None}


@pytest.fixture(autouse=True)
def on_this_machine(settings) -> None:
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]
    settings.TEIJI_CONFIRM_SECONDS = 2


@pytest.fixture
def device(world):
    """Accounts at one device, with a room each."""

    def make(count: int = 1, variant: str = "irislite") -> list[Room]:
        rooms = []
        for number in range(count):
            account = Account.objects.create(
                unit=world.hq, name=f"Bot {number}", kind="iris", is_shared=True,
                config={"variant": variant, "text_seconds": str(PAUSE)},
            )  # fmt: skip
            rooms.append(
                Room.objects.create(
                    **UNLIMITED,
                    unit=world.xinyi,
                    account=account,
                    name=f"Room {number}",
                    address=f"1839{number}",
                )
            )
        return rooms

    return make


@pytest.fixture
def register_now(world, make_schedule):
    def make(text: str, rooms: list[Room]) -> None:
        register(make_schedule(text=text, rooms=rooms, **NOW), by=world.people["hq"])

    return make


def work(fake: IrisFake, workers: int = 1, rounds: int = 1) -> None:
    """So many workers at once, until nothing is due; once more for each further round."""

    @visiting
    def move_in(url: str) -> None:
        for account in Account.objects.filter(kind="iris"):
            account.config["url"] = url
            account.save()

    async def main() -> None:
        async with serving(fake) as url:
            await asyncio.to_thread(move_in, url)
            for _ in range(rounds):
                loops = [Loop(f"worker {number}") for number in range(workers)]
                await asyncio.gather(*(loop.run(once=True) for loop in loops))

    asyncio.run(main())


def texts(fake: IrisFake) -> list[str]:
    return [entry.messages[0]["text"] for entry in fake.log]


def test_twelve_messages_that_are_due_at_once_all_arrive(device, register_now):
    (room,) = device()
    for number in range(12):
        register_now(f"Text {number}", [room])
    fake = IrisFake(text_seconds=PAUSE * 0.9)
    work(fake, workers=2)
    assert sorted(texts(fake)) == sorted(f"Text {number}" for number in range(12))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_two_rooms_of_one_device_never_overlap_whoever_sends(device, register_now):
    rooms = device(count=2)
    for number in range(4):
        register_now(f"Text {number}", rooms)
    fake = IrisFake(text_seconds=PAUSE * 0.9)
    work(fake, workers=3)
    assert len(fake.log) == 8
    assert {entry.to for entry in fake.log} == {room.address for room in rooms}
    assert min(after.at - before.at for before, after in pairwise(fake.log)) >= PAUSE * 0.9


def test_a_lost_answer_is_not_confirmed_and_never_sent_again_by_itself(device, register_now):
    (room,) = device()
    register_now("Once", [room])
    fake = IrisFake()
    fake.faults.add(FaultKind.ACCEPT_THEN_DROP)
    work(fake, workers=2, rounds=3)
    assert texts(fake) == ["Once"]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.is_asked_about) == ("unconfirmed", False)
    assert Run.objects.get().state == "unconfirmed"
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["unknown"]


@pytest.mark.parametrize("fault", [FaultKind.RESET, FaultKind.HTML_200, FaultKind.ERROR_BEFORE])
def test_neither_is_what_may_not_have_arrived(device, register_now, fault):
    (room,) = device()
    register_now("Perhaps", [room])
    fake = IrisFake()
    fake.faults.add(fault)
    work(fake, rounds=3)
    assert len(fake.log) <= 1
    assert Delivery.objects.get().state == "unconfirmed"
    assert sum(fake.requests.values()) == 1


def test_only_an_account_that_says_send_again_sends_again(device, register_now, settings):
    settings.TEIJI_RETRY_DELAYS = [0.05]
    (room,) = device()
    Account.objects.filter(kind="iris").update(on_unknown="resend")
    register_now("Twice", [room])
    fake = IrisFake()
    fake.faults.add(FaultKind.ACCEPT_THEN_DROP)
    work(fake, rounds=2)
    assert texts(fake) == ["Twice", "Twice"]
    assert Delivery.objects.get().state == "sent"
