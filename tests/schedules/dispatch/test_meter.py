"""The quota and the people of rooms are asked for beside the sending, which never waits for it."""

import asyncio
from datetime import timedelta

import pytest
from django.core.management import call_command

from channels.adapters.base import Quota, refused
from channels.adapters.line import LineAdapter
from channels.models import Account, QuotaReading, Room
from orgs.clock import database_now
from schedules.actions import register
from schedules.dispatch import meter
from schedules.dispatch.clock import Clock
from schedules.dispatch.loop import Loop
from schedules.dispatch.send import Senders
from schedules.models import Delivery, Schedule
from tests.fakes.line import LineFake
from tests.fakes.serving import in_thread
from tests.schedules.at_once import at_once, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.enable_socket]

GROUP = "C" + "0" * 32
QUOTA = "/v2/bot/message/quota"


class Hanging(LineFake):
    """Takes messages, and leaves questions about the quota open."""

    def _ask(self, path):
        return asyncio.sleep(60) if path == QUOTA else super()._ask(path)


@pytest.fixture
def group(world, line_account) -> Room:
    return Room.objects.create(unit=world.xinyi, account=line_account, name="Group", address=GROUP)


@pytest.fixture
def coming(world, group, make_schedule) -> Schedule:
    return register(make_schedule(rooms=[group], due_in=1800), by=world.people["hq"])


def ask(fake: LineFake, settings) -> None:
    """One turn of the meter."""

    async def read(accounts, rooms):
        senders = Senders(Clock())
        try:
            return await meter.read(accounts, rooms, senders)
        finally:
            await senders.close()

    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        now = database_now()
        accounts, rooms = meter.take_accounts(now), meter.rooms_to_count(now)
        meter.write(asyncio.run(read(accounts, rooms)), now)


def test_what_the_channel_tells_is_kept(settings, coming, group):
    fake = LineFake(quota=1000)
    fake.used, fake.members[GROUP] = 250, 37
    ask(fake, settings)
    reading = QuotaReading.objects.get()
    assert (reading.limit, reading.used, reading.error) == (1000, 250, "")
    assert reading.read_at is not None
    group.refresh_from_db()
    assert group.people == 37


def test_a_number_that_no_table_holds_is_none_and_harms_no_other_answer(settings, coming, group):
    fake = LineFake(quota=10**30)
    fake.members[GROUP] = 37
    ask(fake, settings)
    reading = QuotaReading.objects.get()
    assert reading.read_at is None and "no number" in reading.error
    group.refresh_from_db()
    assert group.people == 37


def test_words_that_postgresql_cannot_store_are_kept_without_what_is_wrong_with_them(
    settings, coming
):
    account = coming.rooms.get().account
    QuotaReading.objects.create(account=account, tried_at=database_now())
    meter.write(meter.Answers([meter.Answer(account.pk, database_now(), None, "N\x00o")]), None)
    assert QuotaReading.objects.get().error == "No"


def test_an_account_without_a_limit_is_one_that_may_send_as_much_as_it_likes(settings, coming):
    ask(LineFake(quota=None), settings)
    assert QuotaReading.objects.get().limit is None


def test_a_question_that_fails_leaves_the_last_answer_and_says_why(settings, coming):
    fake = LineFake(quota=1000)
    ask(fake, settings)
    QuotaReading.objects.update(tried_at=database_now() - timedelta(minutes=6))
    fake.revoke_tokens()
    ask(fake, settings)
    reading = QuotaReading.objects.get()
    assert reading.limit == 1000 and reading.error


def test_a_fault_of_an_adapter_is_one_accounts_alone(settings, world, coming, monkeypatch):
    other = Account.objects.create(unit=world.hq, name="Other", kind="line")
    good = LineAdapter.quota

    async def quota(self) -> Quota:
        if self.account_id == other.pk:
            raise ZeroDivisionError("a fault")
        return await good(self)

    monkeypatch.setattr(LineAdapter, "quota", quota)
    ask(LineFake(quota=5), settings)
    errors = dict(QuotaReading.objects.values_list("account_id", "error"))
    assert errors == {coming.rooms.get().account_id: "", other.pk: "ZeroDivisionError: a fault"}


def test_a_group_that_the_bot_has_left_keeps_its_last_count(settings, coming, group, monkeypatch):
    Room.objects.update(members_count=12)

    async def size(self, address) -> int:
        raise refused("not in it")

    monkeypatch.setattr(LineAdapter, "size", size)
    ask(LineFake(), settings)
    group.refresh_from_db()
    assert group.people == 12 and group.members_read_at is not None


def test_of_two_workers_one_asks(coming):
    now = database_now()
    assert len(meter.take_accounts(now)) == 1
    QuotaReading.objects.update(tried_at=now - timedelta(minutes=6))
    answers = at_once(lambda: meter.take_accounts(now), lambda: meter.take_accounts(now))
    assert sorted(len(found) for found in answers) == [0, 1]


def test_who_has_nothing_to_send_is_asked_once_and_then_left_alone(world, line_account):
    now = database_now()
    assert len(meter.take_accounts(now)) == 1
    assert meter.take_accounts(now + timedelta(hours=1)) == []
    Account.objects.filter(pk=line_account.pk).update(is_spent=True)
    assert len(meter.take_accounts(now + timedelta(hours=1))) == 1


def test_what_is_being_written_is_asked_about_before_it_can_go_at_once(group, make_schedule):
    draft = make_schedule(rooms=[group])
    now = database_now()
    QuotaReading.objects.create(account=group.account, tried_at=now - timedelta(minutes=6))
    assert meter.take_accounts(now) == [group.account]
    QuotaReading.objects.update(tried_at=now - timedelta(minutes=6))
    Schedule.objects.filter(pk=draft.pk).update(updated_at=now - timedelta(hours=2))
    assert meter.take_accounts(now) == []


def test_an_account_that_was_mended_is_asked_at_once(client, world, group, make_schedule):
    make_schedule(rooms=[group])
    QuotaReading.objects.create(account=group.account, tried_at=database_now(), error="No")
    client.force_login(world.people["hq"])
    page = f"/admin/channels/account/{group.account_id}/change/"
    form = client.get(page).context["adminform"].form
    sent = {name: form[name].value() or "" for name in form.fields}
    assert client.post(page, sent | {"setting_channel_secret": "new"}).status_code == 302
    assert not QuotaReading.objects.exists()
    assert meter.take_accounts(database_now()) == [group.account]


def test_a_room_is_counted_once_a_day_and_only_where_a_schedule_names_it(world, coming, group):
    idle = Room.objects.create(
        unit=world.xinyi, account=group.account, name="Idle", address="C" + "1" * 32
    )
    now = database_now()
    assert meter.rooms_to_count(now) == [group]
    meter.write(meter.Answers(people=[(group.pk, 3)]), now)
    assert meter.rooms_to_count(now + timedelta(hours=23)) == []
    assert meter.rooms_to_count(now + timedelta(hours=25)) == [group]
    assert idle.people == 1


def test_a_channel_that_does_not_tell_its_quota_delays_no_message(
    settings, world, group, make_schedule
):
    settings.TEIJI_CONFIRM_SECONDS = 1
    fake = Hanging(quota=1000)

    async def until(condition) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)

    async def main() -> None:
        loop = Loop("test")
        task = asyncio.create_task(loop.run())
        await until(lambda: fake.requests.get(QUOTA))  # from here on the meter hangs
        draft = await asyncio.to_thread(lambda: start(draft_now).result(20))
        await until(lambda: fake.log)
        assert draft is not None
        loop.stop()
        await task

    def draft_now() -> Schedule:
        return register(make_schedule(rooms=[group], timing_kind="now"), by=world.people["hq"])

    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        asyncio.run(main())
    delivery = Delivery.objects.get()
    assert delivery.state == "sent" and delivery.lateness_ms < 2000


def test_an_answer_that_never_comes_is_given_up(settings, coming, monkeypatch):
    monkeypatch.setattr(meter, "DEADLINE", 0.2)
    ask(Hanging(quota=1000), settings)
    reading = QuotaReading.objects.get()
    assert reading.read_at is None
    assert reading.error == "The channel did not answer in time."


def test_a_command_asks_all_accounts_at_once(settings, line_account, capsys):
    fake = LineFake(quota=1000)
    fake.used = 250
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        call_command("quota")
    assert capsys.readouterr().out == "LINE: 250 used or reserved, 1,000\n"
