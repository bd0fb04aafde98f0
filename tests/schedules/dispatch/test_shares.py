"""Every account gets its share, whatever another one has due."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from channels.models import Account, Room
from schedules.dispatch.claim import claim
from schedules.dispatch.shares import next_due
from schedules.models import Delivery
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db


@pytest.fixture
def rooms_of(world):
    """So many rooms of an account of its own."""

    def make(name: str, count: int) -> list[Room]:
        account = Account.objects.create(unit=world.hq, name=name, kind="sandbox", is_shared=True)
        rooms = [
            Room(
                unit=world.xinyi,
                account=account,
                name=f"{name} {n}",
                address=f"{name}-{n}",
                **UNLIMITED,
            )
            for n in range(count)
        ]
        return Room.objects.bulk_create(rooms)

    return make


def accounts_of(ids: list[int]) -> dict[str, int]:
    names = Delivery.objects.filter(id__in=ids).values_list("account__name", flat=True)
    return dict(Counter(names))


def due(limit: int, now, **values) -> list[int]:
    with transaction.atomic():
        return next_due(now, limit, **values)


def test_a_small_account_is_not_kept_waiting_by_a_large_one(planned, rooms_of):
    large = planned(rooms=rooms_of("large", 40), text="large")
    planned(rooms=rooms_of("small", 3), text="small")
    ids = due(10, large[0].due_at + timedelta(seconds=5))
    assert accounts_of(ids) == {"large": 5, "small": 3}


def test_an_account_alone_gets_all_there_is(planned, rooms_of):
    large = planned(rooms=rooms_of("large", 40))
    assert len(due(30, large[0].due_at)) == 30


def test_within_an_account_a_higher_priority_goes_first(planned, rooms_of):
    rooms = rooms_of("one", 4)
    planned(rooms=rooms, text="low", priority=10)
    high = planned(rooms=rooms, text="high", priority=90)
    ids = due(4, high[0].due_at + timedelta(seconds=5))
    assert set(Delivery.objects.filter(id__in=ids).values_list("priority", flat=True)) == {90}


def test_accounts_that_are_full_are_passed_over(planned, rooms_of):
    rooms = rooms_of("full", 2)
    deliveries = planned(rooms=[*rooms, *rooms_of("other", 2)])
    ids = due(10, deliveries[0].due_at, full=[rooms[0].account_id])
    assert accounts_of(ids) == {"other": 2}


def test_accounts_with_nothing_due_yet_take_no_share(planned, rooms_of):
    soon = planned(rooms=rooms_of("soon", 20), text="soon")
    planned(rooms=rooms_of("later", 20), text="later", due_in=7200)
    assert accounts_of(due(10, soon[0].due_at)) == {"soon": 10}


def test_nothing_due_is_nothing(planned):
    (delivery,) = planned()
    assert due(10, delivery.due_at - timedelta(minutes=1)) == []


def test_a_claim_costs_the_same_for_one_and_for_thirty(planned, rooms_of):
    for number in range(30):
        planned(rooms=rooms_of(f"account {number}", 1), text=f"{number}")
    now = max(Delivery.objects.values_list("due_at", flat=True))
    counts = []
    for limit in (1, 29):
        with CaptureQueriesContext(connection) as asked:
            assert len(claim(now, worker="one", limit=limit)) == limit
        counts.append(len(asked))
    assert counts[0] == counts[1]
