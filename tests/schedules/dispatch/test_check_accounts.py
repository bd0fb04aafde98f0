"""A person asks whether a channel accepts an account: a worker asks it, and says what it said."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from channels.models import Account, AccountCheck, QuotaReading
from channels.models.alert import Alert
from logs.models import History
from orgs.clock import database_now
from schedules.dispatch.check_accounts import Checker
from schedules.dispatch.clock import Clock
from schedules.dispatch.send import Senders
from schedules.dispatch.threads import DatabaseThreads
from tests.fakes.line import LineFake
from tests.fakes.serving import in_thread

pytestmark = pytest.mark.django_db(transaction=True)

Outcome = AccountCheck.Outcome


@pytest.fixture
def line(settings: Any) -> Iterator[LineFake]:
    fake = LineFake(quota=1000)
    fake.used = 188
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        yield fake


def turn() -> None:
    """What a worker does in one turn."""

    async def main() -> None:
        clock = Clock()
        clock.set_by_database()
        senders, threads = Senders(clock), DatabaseThreads("check")
        try:
            await Checker(partial(threads.call, "check"), senders).turn()
        finally:
            await senders.close()
            await threads.close()

    asyncio.run(asyncio.wait_for(main(), 20))


@pytest.fixture
def clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop asks for the time in a thread; here it is asked before."""
    now = database_now()
    monkeypatch.setattr(Clock, "set_by_database", lambda self: None)
    monkeypatch.setattr(Clock, "now", lambda self: now)


pytestmark = [pytestmark, pytest.mark.usefixtures("clock_is_set")]


def check(account: Account) -> AccountCheck:
    AccountCheck.ask(account, database_now())
    turn()
    return AccountCheck.objects.get(account=account)


def stop(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(
        stopped_at=database_now(), stopped_why="The token was refused."
    )


def test_a_good_account_is_called_by_its_name_and_its_quota_is_known(line, line_account):
    row = check(line_account)
    assert (row.outcome, row.name, row.why) == (Outcome.GOOD, "Bot", "")
    assert (row.asked_at, row.taken_at) == (None, None)
    assert row.checked_at is not None
    reading = QuotaReading.objects.get(account=line_account)
    assert (reading.limit, reading.used) == (1000, 188)
    assert line.log == []


def test_a_wrong_secret_is_said_in_the_channels_words(line, line_account):
    line_account.secrets = {"access_token": "wrong"}
    line_account.save()
    row = check(line_account)
    assert row.outcome == Outcome.REFUSED
    assert row.why.startswith("LINE does not accept the access token")


def test_a_channel_that_is_away_says_nothing_of_the_account(settings, line_account):
    settings.TEIJI_LINE_API_HOST = "http://127.0.0.1:9"
    row = check(line_account)
    assert row.outcome == Outcome.UNSURE
    assert row.why.startswith("Could not connect")


def test_a_stopped_account_goes_on_when_the_check_is_good(line, line_account):
    stop(line_account)
    assert check(line_account).outcome == Outcome.GOOD
    account = Account.objects.get(pk=line_account.pk)
    assert (account.stopped_at, account.stopped_why) == (None, "")
    assert Alert.objects.get().is_over
    assert History.objects.filter(kind="account", verb="resumed").count() == 1


def test_a_stopped_account_stays_so_when_the_check_is_not_good(line, line_account):
    line_account.secrets = {"access_token": "wrong"}
    line_account.save()
    stop(line_account)
    assert check(line_account).outcome == Outcome.REFUSED
    assert Account.objects.get(pk=line_account.pk).stopped_at is not None


def seen_to(account: Account) -> Account:
    """As it is once a person has saved it and a worker has asked its channel."""
    AccountCheck.ask(account, database_now(), seen_to=True)
    assert Account.objects.get(pk=account.pk).stopped_at is not None, "it waits for the answer"
    turn()
    return Account.objects.get(pk=account.pk)


def test_what_a_person_has_seen_to_goes_on_once_its_channel_accepts_it(line, line_account):
    stop(line_account)
    assert seen_to(line_account).stopped_at is None


def test_what_its_channel_refuses_once_more_stays_stopped(line, line_account):
    line_account.secrets = {"access_token": "wrong"}
    line_account.save()
    stop(line_account)
    assert seen_to(line_account).stopped_at is not None


def test_a_channel_that_is_away_does_not_overrule_who_has_seen_to_it(settings, line_account):
    settings.TEIJI_LINE_API_HOST = "http://127.0.0.1:9"
    stop(line_account)
    assert check(line_account).outcome == Outcome.UNSURE
    assert Account.objects.get(pk=line_account.pk).stopped_at is not None
    assert seen_to(line_account).stopped_at is None


def test_an_account_whose_month_is_spent_does_not_go_on_by_a_check(line, line_account):
    line.used = 1000
    stop(line_account)
    assert check(line_account).outcome == Outcome.GOOD
    assert Account.objects.get(pk=line_account.pk).stopped_at is not None


def test_what_is_asked_anew_meanwhile_is_answered_anew(line, line_account):
    """The credentials may have been replaced while the first answer was on its way."""
    now = database_now()
    AccountCheck.ask(line_account, now)
    (held,) = AccountCheck.take(now, 10)
    assert AccountCheck.take(now, 10) == []
    assert AccountCheck.ask(line_account, now.replace(year=now.year + 1))
    assert not held.answered(Outcome.GOOD, now, name="Old")
    row = AccountCheck.objects.get(account=line_account)
    assert (row.outcome, row.taken_at) == ("", None)
