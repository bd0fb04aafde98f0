"""The queue that a phone empties: given once, in order, one at a time, and never too late."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from channels import pull
from channels.models import Account, PulledMessage
from channels.pull import ANSWER_WITHIN, Fate
from tests.schedules.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WAIT = timedelta(seconds=180)
NO_PAUSE = timedelta(0)


@pytest.fixture
def clock(monkeypatch):
    """What the database says; a test sets it."""
    hands = [NINE]
    monkeypatch.setattr(pull, "database_now", lambda: hands[0])
    return hands


@pytest.fixture
def account(world) -> Account:
    made = Account(unit=world.hq, name="Phone", kind="messengerbot")
    made.secrets = {"token": "mb_" + "x" * 43}
    made.save()
    return made


@pytest.fixture
def put(account, clock):
    def into(text: str = "정각입니다", key: UUID | None = None, room: str = "손님방"):
        return pull.put(account.pk, room, key or uuid4(), text, fetch_by=clock[0] + WAIT)

    return into


def fetch(account: Account, name: str = "fetch-one", **options) -> str | None:
    row = pull.next_for(account, name, **{"pause": NO_PAUSE} | options)
    return row.text if row else None


def answer(account: Account, is_shown: bool = True, **which) -> PulledMessage | None:
    row = PulledMessage.objects.filter(**which).last()
    return pull.answer(account, row.uid, is_shown=is_shown)


def test_messages_are_given_in_order_one_at_a_time(account, put):
    for text in ("one", "two"):
        put(text)
    assert fetch(account, "fetch-one") == "one"
    assert fetch(account, "fetch-two") is None
    answer(account, text="one")
    assert fetch(account, "fetch-two") == "two"


def test_the_same_fetch_gets_the_same_message_again_and_another_gets_none(account, put, clock):
    put("one")
    put("two")
    assert [fetch(account, "fetch-one") for _ in range(3)] == ["one"] * 3
    clock[0] += ANSWER_WITHIN
    assert fetch(account, "fetch-one") == "two"  # what was lost is lost: never the first again


def test_of_two_fetches_at_once_one_gets_the_message(account, put):
    put("one")
    put("two")
    names = [f"fetch-{number}" for number in range(6)]
    given = at_once(*[lambda name=name: fetch(account, name) for name in names])
    assert sorted(given, key=str) == [None] * 5 + ["one"]


def test_after_an_answer_the_phone_is_left_alone_for_the_pause(account, put, clock):
    put("one")
    put("two")
    fetch(account, "fetch-one")
    answer(account, text="one")
    clock[0] += 1.9 * SECOND
    assert fetch(account, "fetch-two", pause=2 * SECOND) is None
    clock[0] += 0.1 * SECOND
    assert fetch(account, "fetch-two", pause=2 * SECOND) == "two"


def test_what_nobody_has_fetched_in_time_is_given_to_nobody_though_nobody_asked(
    account, put, clock
):
    put()
    clock[0] += WAIT
    assert fetch(account) is None


def test_asking_withdraws_what_is_late_for_good_also_if_the_clock_is_set_back(account, put, clock):
    key = uuid4()
    put(key=key)
    clock[0] += WAIT
    assert pull.fate(account.pk, key).fate is Fate.WITHDRAWN
    clock[0] -= WAIT
    assert fetch(account) is None
    assert pull.fate(account.pk, key).fate is Fate.WITHDRAWN


def test_a_fetch_that_is_repeated_after_its_time_gets_nothing(account, put, clock):
    put()
    clock[0] += WAIT - SECOND
    assert fetch(account) is not None
    clock[0] += SECOND
    assert fetch(account) is None


@pytest.mark.parametrize("rounds", range(5))
def test_a_fetch_and_the_question_at_its_last_moment_agree(account, put, clock, rounds):
    key = uuid4()
    put(key=key)
    clock[0] += WAIT
    given, told = at_once(lambda: fetch(account), lambda: pull.fate(account.pk, key))
    assert (given, told.fate) == (None, Fate.WITHDRAWN)


@pytest.mark.parametrize("rounds", range(5))
def test_what_is_taken_back_and_fetched_at_once_is_one_of_the_two(account, put, clock, rounds):
    key = uuid4()
    put("one", key=key)
    given, taken = at_once(lambda: fetch(account), lambda: pull.withdraw([key], clock[0]))
    assert (given, taken) in [("one", 0), (None, 1)]
    expected = Fate.COMING if given else Fate.WITHDRAWN
    assert pull.fate(account.pk, key).fate is expected


@pytest.mark.parametrize(("is_shown", "fate"), [(True, Fate.SHOWN), (False, Fate.REFUSED)])
def test_the_phones_first_word_counts(account, put, is_shown, fate):
    key = uuid4()
    put(key=key)
    fetch(account)
    answer(account, is_shown)
    assert answer(account, not is_shown).is_shown is is_shown
    assert pull.fate(account.pk, key).fate is fate


def test_a_late_word_counts_too(account, put, clock):
    key = uuid4()
    put(key=key)
    fetch(account)
    clock[0] += ANSWER_WITHIN
    assert pull.fate(account.pk, key).fate is Fate.LOST
    answer(account)
    assert pull.fate(account.pk, key).fate is Fate.SHOWN


def test_what_was_not_given_to_it_a_phone_cannot_answer(account, put, world):
    other = Account.objects.create(unit=world.hq, name="Other", kind="messengerbot")
    put()
    assert answer(account) is None
    fetch(account)
    assert answer(other) is None
    assert pull.answer(account, uuid4(), is_shown=True) is None
    assert PulledMessage.objects.get().answered_at is None


def test_each_account_has_its_own_queue(account, put, world):
    other = Account.objects.create(unit=world.hq, name="Other", kind="messengerbot")
    put()
    assert fetch(other) is None
    assert fetch(account) is not None


def test_a_part_is_put_in_once_while_it_may_be_shown(account, put, clock):
    key = uuid4()
    first = put(key=key)
    assert put(key=key).uid == first.uid
    fetch(account)
    assert put(key=key).uid == first.uid
    answer(account)
    assert put(key=key).fate is Fate.SHOWN
    assert PulledMessage.objects.count() == 1


@pytest.mark.parametrize("is_fetched", [True, False])
def test_what_a_person_has_sent_again_is_put_in_again(account, put, clock, is_fetched):
    key = uuid4()
    first = put(key=key)
    if is_fetched:
        fetch(account, "fetch-one")
    clock[0] += WAIT
    assert put(key=key).uid != first.uid
    assert pull.fate(account.pk, key).fate is Fate.COMING
    assert fetch(account, "fetch-two") is not None


def test_a_late_word_that_it_was_typed_takes_back_what_was_to_go_again(account, put, clock):
    key = uuid4()
    put(key=key)
    fetch(account)
    first = PulledMessage.objects.get()
    clock[0] += ANSWER_WITHIN
    put(key=key)
    pull.answer(account, first.uid, is_shown=True)
    assert fetch(account, "fetch-two") is None
    assert pull.fate(account.pk, key).fate is Fate.SHOWN


def test_a_worker_that_stood_still_on_the_way_puts_nothing_in(account, clock):
    assert pull.put(account.pk, "room", uuid4(), "late", fetch_by=clock[0]) is None
    assert not PulledMessage.objects.exists()


def test_nothing_is_given_out_where_the_condition_does_not_hold(account, put):
    put()
    assert fetch(account, allowed=lambda: RawSQL("1 = 0", [], BooleanField())) is None
    assert fetch(account, allowed=lambda: RawSQL("1 = 1", [], BooleanField())) is not None


def test_the_rest_of_the_queue_goes_on_after_one_that_was_lost(account, put, clock):
    put("one")
    put("two")
    fetch(account, "fetch-one")
    clock[0] += ANSWER_WITHIN - SECOND
    assert fetch(account, "fetch-two") is None
    clock[0] += SECOND
    assert fetch(account, "fetch-two") == "two"


def test_an_idle_phone_costs_two_questions(account, put, django_assert_num_queries):
    put()
    fetch(account, "fetch-one")
    answer(account)
    with django_assert_num_queries(2):
        fetch(account, "fetch-two")


def test_old_messages_are_removed(account, put, clock):
    put()
    assert pull.forget_old(NINE + pull.KEPT) == 0
    assert pull.forget_old(NINE + pull.KEPT + SECOND) == 1
