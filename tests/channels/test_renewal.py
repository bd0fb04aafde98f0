"""Of all workers one at a time renews what a vendor replaces, and the others take it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils.translation import override

from channels import renewal, turns
from channels.adapters.base import Failure, Receipt, SendError
from channels.adapters.kakao import KakaoAdapter
from channels.adapters.shared import SharedSecrets
from channels.http import open_session
from channels.models import Account
from channels.renewal import AccountSecrets
from logs.said import retell
from orgs.clock import database_now
from tests.channels.adapters.kakao_stage import LINK, LOOPBACK, ME, PAYLOAD
from tests.fakes import kakao
from tests.fakes.kakao import DAY, TOKEN, KakaoFake
from tests.fakes.serving import serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(world) -> Account:
    made = Account(unit=world.hq, name="Notices", kind="kakao")
    made.config = {"client_id": kakao.CLIENT_ID, "link_url": LINK}
    made.secrets = {"refresh_token": kakao.REFRESH_TOKEN}
    made.save()
    return made


@pytest.fixture
def last_month() -> KakaoFake:
    """A vendor that replaces the refresh token at its next use."""
    fake = KakaoFake(latency=0.05)
    fake.refresh_until = fake.now() + 29 * DAY
    return fake


def send_at_once(
    fake: KakaoFake, account: Account, workers: int, shared: Callable[[int], SharedSecrets]
) -> list[Receipt | SendError]:
    """Each worker has an adapter of its own, made from what was stored before."""

    async def main() -> list[Receipt | SendError]:
        session = open_session(guarded=True, allowed=LOOPBACK)
        async with serving(fake) as url, session as http:
            adapters = []
            for _ in range(workers):
                adapter = account.open(http)
                assert isinstance(adapter, KakaoAdapter)
                adapter.host, adapter.secrets = url, shared(account.pk)
                adapters.append(adapter)
            sends = [adapter.send(ME, PAYLOAD, uuid4()) for adapter in adapters]
            return await asyncio.gather(*sends, return_exceptions=True)  # type: ignore[return-value]

    return asyncio.run(main())


def test_all_workers_send_though_the_refresh_token_is_replaced_meanwhile(account, last_month):
    outcomes = send_at_once(last_month, account, 4, AccountSecrets)
    assert [type(outcome) for outcome in outcomes] == [Receipt] * 4
    assert last_month.requests[TOKEN] == 4
    stored = Account.objects.get(pk=account.pk).secrets
    assert stored == {"refresh_token": last_month.refresh_token}
    assert last_month.refresh_token != kakao.REFRESH_TOKEN


def test_workers_that_do_not_wait_for_each_other_would_lose_the_account(account, last_month):
    """Else the test above would prove nothing."""
    outcomes = send_at_once(last_month, account, 4, lambda _pk: SharedSecrets())
    assert any(isinstance(outcome, SendError) and outcome.account_wide for outcome in outcomes)


@pytest.mark.parametrize("fault", ["accept_then_drop", "5xx_after"])
def test_a_lost_answer_of_the_renewal_stops_the_account_and_says_what_to_do(
    account, last_month, fault
):
    """The old token is worthless from then on, and the new one nobody has heard of."""
    last_month.token_faults.add(fault)
    (first,) = send_at_once(last_month, account, 1, AccountSecrets)
    assert isinstance(first, SendError) and first.failure is Failure.LATER  # nothing was sent
    (second,) = send_at_once(last_month, account, 1, AccountSecrets)
    assert isinstance(second, SendError) and second.account_wide
    # What the alert tells, in the language of whoever is told.
    assert "save the account with the new refresh token" in str(second)
    with override("ko"):
        assert "다시 로그인한 뒤 새 리프레시 토큰을" in retell(str(second))
    assert last_month.log == []


def test_who_logs_in_anew_after_a_lost_answer_sends_again(account, last_month):
    last_month.token_faults.add("accept_then_drop")
    for _ in range(2):
        send_at_once(last_month, account, 1, AccountSecrets)
    stored = Account.objects.get(pk=account.pk)
    stored.secrets = {"refresh_token": last_month.refresh_token}  # of the new login
    stored.save()
    (outcome,) = send_at_once(last_month, account, 1, AccountSecrets)
    assert isinstance(outcome, Receipt)


def test_a_worker_that_comes_later_uses_what_another_has_stored(account, last_month):
    for _ in range(2):  # the second is made from what was stored at first, too
        (outcome,) = send_at_once(last_month, account, 1, AccountSecrets)
        assert isinstance(outcome, Receipt)


def test_a_person_who_gave_a_new_token_meanwhile_is_not_overwritten(account, last_month):
    class Slow(AccountSecrets):
        async def store(self, values):
            await asyncio.to_thread(give_another)
            await super().store(values)

    @renewal.visiting
    def give_another():
        row = Account.objects.get(pk=account.pk)
        row.secrets = {"refresh_token": "a-persons"}
        row.save()

    send_at_once(last_month, account, 1, Slow)
    assert Account.objects.get(pk=account.pk).secrets == {"refresh_token": "a-persons"}


def test_what_a_dead_worker_held_is_free_again_and_until_then_nothing_is_sent(account, monkeypatch):
    fake = KakaoFake()
    now = database_now()
    device = f"secrets:{account.pk}"
    turns.take(device, uuid4(), at=now, until=now + timedelta(seconds=3600))
    monkeypatch.setattr(renewal, "MARGIN", timedelta(seconds=-14.9))  # of a patience of 30 s
    (outcome,) = send_at_once(fake, account, 1, AccountSecrets)
    assert isinstance(outcome, SendError)
    assert outcome.failure is Failure.LATER
    assert fake.requests[TOKEN] == 0
    turns.Turn.objects.update(until=now)
    (outcome,) = send_at_once(fake, account, 1, AccountSecrets)
    assert isinstance(outcome, Receipt)


def test_a_database_that_is_away_means_that_nothing_was_sent(account, monkeypatch):
    def away(*_args):
        raise OperationalError("gone")

    monkeypatch.setattr(renewal, "_stored", away)
    (outcome,) = send_at_once(KakaoFake(), account, 1, AccountSecrets)
    assert isinstance(outcome, SendError)
    assert outcome.failure is Failure.LATER


def test_what_could_not_be_stored_at_once_is_kept_for_the_worker_to_store(
    account, last_month, monkeypatch, caplog
):
    def away(*_args):
        raise OperationalError("gone")

    monkeypatch.setattr(renewal, "_renew", away)
    (outcome,) = send_at_once(last_month, account, 1, AccountSecrets)
    assert isinstance(outcome, Receipt)
    assert "not stored yet" in caplog.text
    assert last_month.refresh_token not in caplog.text
