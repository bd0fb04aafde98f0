"""A channel that answers badly: what was promised holds, its other rooms and the other channels
go on, and no worker grows by it. LINE honours keys; the webhook and the device have none."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from channels.models import Account, Room
from logs.models import Attempt
from schedules.models import Delivery
from tests.fakes.iris import IrisFake
from tests.fakes.misbehaviour import HUGE
from tests.faults.bookings import states
from tests.faults.checker import violations
from tests.faults.fleet import QUICK_TIMEOUT, Member
from tests.faults.vendors import Stand
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db(transaction=True)

EACH = 4  # rooms of each channel
PAST_THE_DEADLINE = 4 * QUICK_TIMEOUT
IN_TIME = 2000  # ms, on a machine that does other things too
MOST_GROWTH = 48  # MB


def lateness_but_of(room: Room) -> int:
    """The worst of the other rooms, in ms."""
    return max(Delivery.objects.exclude(room=room).values_list("lateness_ms", flat=True))


def tries_of(room: Room) -> list[Attempt]:
    return list(Attempt.objects.filter(room_id=room.pk).order_by("number"))


def peak_mb(member: Member) -> int:
    """The most memory that it ever had."""
    status = Path(f"/proc/{member.pid}/status").read_text().split()
    return int(status[status.index("VmHWM:") + 1]) // 1024


def test_an_answer_that_drips_past_the_deadline_holds_up_nobody_else(workers, bookings, vendors):
    rooms = vendors.rooms(EACH, EACH)
    keyed, unkeyed = rooms[0], rooms[EACH]
    for fake, room in ((vendors.line, keyed), (vendors.webhook, unkeyed)):
        fake.faults.add("slow_drip", to=room.address, seconds=PAST_THE_DEADLINE)
    workers.worker_that_is_up()
    bookings.once(rooms)
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("line") + states("webhook") == ["sent"] * 2 * EACH
    # LINE's own words are needed: asked again, with the key. A webhook's status is its answer.
    assert [attempt.outcome for attempt in tries_of(keyed)] == ["unknown", "accepted"]
    assert [attempt.outcome for attempt in tries_of(unkeyed)] == ["accepted"]
    first = tries_of(keyed)[0]
    assert first.answered_at - first.wire_at < timedelta(seconds=2 * QUICK_TIMEOUT)
    others = Attempt.objects.exclude(room_id__in=[keyed.pk, unkeyed.pk])
    assert all(attempt.answered_at < first.answered_at for attempt in others)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells it there")
def test_huge_answers_are_not_taken_into_memory(workers, bookings, vendors):
    worker = workers.worker_that_is_up()
    rooms = vendors.rooms(5 * EACH, 5 * EACH)
    bookings.once(rooms)
    bookings.wait_until_settled()
    before = peak_mb(worker)
    for fake in (vendors.line, vendors.webhook):
        fake.faults.add("huge_body", times=5 * EACH)
    bookings.once(rooms)
    bookings.wait_until_settled()
    assert not (vendors.line.faults.waiting or vendors.webhook.faults.waiting)
    assert len(rooms) * HUGE > 3 * MOST_GROWTH * 2**20
    assert peak_mb(worker) - before < MOST_GROWTH
    assert bookings.violations() == []
    assert set(states("line")) == {"sent"}
    assert set(states("webhook")) <= {"sent", "unconfirmed"}  # no answer in time: its fake is busy


@pytest.fixture
def device_room(vendors) -> Iterator[tuple[IrisFake, Room]]:
    """A room at a device without keys, which cannot be asked afterwards."""
    stand = Stand(IrisFake(is_lite=True))
    stand.start()
    account = Account(unit=vendors.keyed.unit, name="Device", kind="iris")
    account.config = {"url": stand.url, "variant": "irislite", "text_seconds": "0.3"}
    account.save()
    values = {"unit": vendors.unit, "name": "Device room", "address": "18"}
    yield stand.fake, Room.objects.create(account=account, **values, **UNLIMITED)
    stand.close()


def test_a_page_with_status_200_is_no_acceptance(workers, bookings, vendors, device_room):
    device, room = device_room
    rooms = [*vendors.rooms(EACH, EACH), room]
    device.faults.add("html_200")  # accepted behind it; nobody can know
    vendors.line.faults.add("html_200", times=EACH)
    vendors.webhook.faults.add("html_200", times=EACH)
    workers.worker_that_is_up()
    bookings.once(rooms)
    bookings.wait_until_settled()
    accepted = [*vendors.accepted, *device.log]
    assert violations(accepted, expected=bookings.expected) == []
    assert states("line") == ["sent"] * EACH  # at the second try
    assert states("webhook") == ["sent"] * EACH  # whose contract is: any 2xx accepts
    assert states("iris") == ["unconfirmed"]
    bookings.once(rooms)
    bookings.wait_until_settled()
    assert states("iris") == ["unconfirmed", "sent"]


def test_a_storm_of_429_is_waited_for_and_other_channels_go_on(workers, bookings, vendors):
    vendors.line.faults.add("429_rate", times=3 * EACH)
    workers.worker_that_is_up()
    bookings.once(vendors.rooms(EACH, EACH), max_retries=0)  # busy is not broken
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("line") + states("webhook") == ["sent"] * 2 * EACH
    on_time = Delivery.objects.filter(channel="webhook").values_list("lateness_ms", flat=True)
    assert max(on_time) < IN_TIME
    for room in vendors.rooms(EACH, 0):
        assert apart(tries_of(room)) >= timedelta(seconds=1)  # LINE's buckets fill by the second


def test_the_time_that_a_429_names_is_kept_and_the_other_rooms_go_on(workers, bookings, vendors):
    rooms = vendors.rooms(EACH, EACH)
    vendors.webhook.faults.add("429_rate", times=2, to=rooms[-1].address)  # Retry-After: 7
    workers.worker_that_is_up()
    bookings.once(rooms, max_retries=0)
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("line") + states("webhook") == ["sent"] * 2 * EACH
    assert lateness_but_of(rooms[-1]) < IN_TIME
    assert [attempt.outcome for attempt in tries_of(rooms[-1])] == ["later", "later", "accepted"]
    assert apart(tries_of(rooms[-1])) >= timedelta(seconds=7)


def test_a_storm_of_429_that_outlasts_the_grace_fails_and_says_so(workers, bookings, vendors):
    rooms = vendors.rooms(EACH, EACH)
    vendors.webhook.faults.add("429_rate", times=1000, to=rooms[-1].address)
    workers.worker_that_is_up(TEIJI_GRACE_SECONDS=5.0)
    bookings.once(rooms, max_retries=0)
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("webhook") == ["sent"] * (EACH - 1) + ["failed"]
    assert "429" in Delivery.objects.get(room=rooms[-1]).error
    assert states("line") == ["sent"] * EACH


def apart(tries: list[Attempt]) -> timedelta:
    """The shortest time from an answer to the next try."""
    return min(later.wire_at - earlier.answered_at for earlier, later in pairwise(tries))
