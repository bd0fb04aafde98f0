"""From the day after, channels are asked what they delivered, and who opened it."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from channels.models import Account, DayCount, Label, Room
from logs.models import Attempt
from schedules.dispatch import counts
from schedules.dispatch.clock import Clock
from schedules.dispatch.send import Senders
from schedules.dispatch.threads import DatabaseThreads
from tests.fakes.line import ACCESS_TOKEN, LineFake
from tests.fakes.serving import in_thread
from tests.schedules.at_once import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.enable_socket]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVENING = datetime(2027, 3, 10, 12, tzinfo=UTC)  # 21:00 in Tokyo
MORNING = datetime(2027, 3, 10, 20, tzinfo=UTC)  # 05:00 of the 11th in Tokyo
TENTH = date(2027, 3, 10)
PEOPLE = [f"U{n:032x}" for n in range(1200)]


@pytest.fixture
def fake() -> LineFake:
    made = LineFake()
    made.at, made.now = EVENING, lambda: made.at.timestamp()  # noqa: PLW0108  (`at` changes)
    return made


@pytest.fixture
def sent(fake, world, line_account):
    """Let this be accepted at this moment, by LINE and in our log."""

    def send(people: list[str], at: datetime, *, unit: str = "", is_batch: bool = True) -> None:
        units = [unit] if unit else []
        path = "multicast" if is_batch else "push"
        to = people if is_batch else people[0]
        fake.counts.accept(path, to, len(people), units, at.timestamp())
        Attempt.objects.create(
            delivery_id=1, run_id=1, schedule_id=1, part=0, number=1, key=uuid4(), channel="line",
            unit_path=world.xinyi.path, account_id=line_account.pk, due_at=at, answered_at=at,
            outcome="accepted", billed=len(people), audience_id=1 if is_batch else None,
        )  # fmt: skip

    return send


@pytest.fixture
def ask(fake, settings):
    """One turn of the counter at this moment, as a worker has it."""

    def turn(now: datetime) -> None:
        async def main() -> None:
            senders = Senders(Clock())
            try:
                answers = await counts.read(taken, senders)
            finally:
                await senders.close()
            return answers

        fake.at = now
        counts.note_days(now)
        taken = counts.take(now)
        with in_thread(fake) as url:
            settings.TEIJI_LINE_API_HOST = url
            counts.write(taken, asyncio.run(main()), now)

    return turn


def label(account: Account, name: str = "spring_7", **values) -> Label:
    days = {"month": TENTH.replace(day=1), "started_on": TENTH, "ends_on": TENTH + 30 * DAY}
    number = Label.objects.count() + 1
    facts = {"unit_path": "0001", **days, **values}
    return Label.objects.create(account=account, name=name, number=number, **facts)


def told() -> list[tuple[str, int, int | None, int | None, bool]]:
    return [
        (row.endpoint, row.handed, row.told, row.fewer, row.is_open)
        for row in DayCount.objects.order_by("endpoint")
    ]


def test_what_line_says_stands_beside_what_was_handed_over(fake, sent, ask):
    fake.counts.blocked = set(PEOPLE[:20])
    sent(PEOPLE, EVENING)
    sent(PEOPLE[30:31], EVENING, is_batch=False)
    ask(MORNING)
    assert told() == [("multicast", 1200, 1180, 20, False), ("push", 1, 1, 0, False)]
    assert {row.day for row in DayCount.objects.all()} == {TENTH}


def test_a_day_is_one_of_tokyo(sent, ask):
    sent(PEOPLE[:3], datetime(2027, 3, 10, 14, 59, tzinfo=UTC))
    sent(PEOPLE[:5], datetime(2027, 3, 10, 15, 0, tzinfo=UTC))
    ask(MORNING)
    assert [(row.day, row.told) for row in DayCount.objects.all()] == [(TENTH, 3)]


def test_a_day_that_is_not_counted_yet_is_asked_about_each_hour_for_a_week(fake, sent, ask):
    fake.counts.lag = 3
    path = "/v2/bot/message/delivery/multicast"
    sent(PEOPLE[:30], EVENING)
    ask(MORNING)
    ask(MORNING + HOUR / 2)
    assert fake.requests[path] == 1
    row = DayCount.objects.get()
    assert row.told is None and row.is_open and "not counted that day yet" in row.error
    ask(MORNING + 2 * DAY)
    assert told() == [("multicast", 30, 30, 0, False)]
    assert DayCount.objects.get().error == ""


def test_after_a_week_it_is_given_up(fake, sent, ask):
    fake.counts.lag = 30
    sent(PEOPLE[:30], EVENING)
    ask(MORNING)
    ask(MORNING + 9 * DAY)
    assert told() == [("multicast", 30, None, None, False)]


def test_a_day_that_is_never_told_is_asked_about_once(fake, sent, ask):
    fake.counts.out_of_service.add(TENTH)
    sent(PEOPLE[:30], EVENING)
    ask(MORNING)
    assert told() == [("multicast", 30, None, None, False)]


@pytest.mark.parametrize(
    "fault", ["5xx_before", "html_200", "reset", "429_rate", "hang_never_accept"]
)
def test_a_question_that_fails_is_put_again(fake, sent, ask, fault):
    fake.faults_of_questions.add(fault, times=3, seconds=0.1)
    sent(PEOPLE[:30], EVENING)
    ask(MORNING)
    row = DayCount.objects.get()
    assert row.told is None and row.is_open and row.error
    fake.faults_of_questions.clear()
    ask(MORNING + HOUR)
    assert told() == [("multicast", 30, 30, 0, False)]


def test_credentials_that_fail_are_no_answer_about_the_day(fake, sent, ask):
    fake.revoke_tokens()
    sent(PEOPLE[:30], EVENING)
    ask(MORNING)
    fake.tokens[ACCESS_TOKEN] = float("inf")
    ask(MORNING + HOUR)
    assert told() == [("multicast", 30, 30, 0, False)]


def test_what_a_channel_that_counts_nothing_took_is_not_asked_about(world, sent, ask):
    sent(PEOPLE[:30], EVENING)
    Attempt.objects.update(account_id=world.sandbox.pk)
    ask(MORNING)
    assert told() == []


def test_who_opened_it_is_asked_day_by_day(fake, sent, ask, line_account):
    label(line_account)
    sent(PEOPLE[:100], EVENING, unit="spring_7")
    ask(EVENING)
    row = Label.objects.get()
    assert row.counted_until is None and row.tried_at is None
    ask(MORNING)
    row.refresh_from_db()
    assert (row.opened, row.clicked, row.counted_until) == (50, None, TENTH)
    fake.counts.opens = 0.8
    ask(MORNING + HOUR)
    row.refresh_from_db()
    assert row.opened == 50
    ask(MORNING + DAY)
    row.refresh_from_db()
    assert (row.opened, row.counted_until) == (80, TENTH + DAY)


def test_a_label_is_asked_about_until_its_last_day(fake, ask, line_account):
    path = "/v2/bot/insight/message/event/aggregation"
    label(line_account, ends_on=TENTH)
    for days in range(3):
        ask(MORNING + days * DAY)
    assert fake.requests[path] == 1


def test_of_one_account_so_many_labels_are_asked_about_in_an_hour(
    fake, ask, line_account, monkeypatch
):
    monkeypatch.setattr(counts, "LABELS_AN_HOUR", 3)
    monkeypatch.setattr(counts, "LABELS_A_TURN", 2)
    for number in range(5):
        label(line_account, f"label_{number}")
    path = "/v2/bot/insight/message/event/aggregation"
    for _turn in range(5):
        ask(MORNING)
    assert fake.requests[path] == 3
    ask(MORNING + HOUR + timedelta(seconds=1))
    assert fake.requests[path] == 5


def test_of_two_workers_one_asks(sent, line_account):
    sent(PEOPLE[:30], EVENING)
    label(line_account)
    counts.note_days(MORNING)
    found = at_once(lambda: counts.take(MORNING), lambda: counts.take(MORNING))
    assert sorted(len(one.days) for one in found) == [0, 1]
    assert sorted(len(one.labels) for one in found) == [0, 1]


def test_a_worker_looks_once_a_minute(fake, settings, line_account):
    label(line_account)
    fake.at = MORNING

    class At(Clock):
        def now(self) -> datetime:
            return fake.at

    async def main() -> None:
        threads, senders = DatabaseThreads("meter"), Senders(At())
        asker = counts.Asker(partial(threads.call, "meter"), senders)
        await asker.turn()
        fake.at += DAY  # there is more to ask
        asker._looked_at = fake.at
        await asker.turn()
        await senders.close()
        await threads.close()

    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        asyncio.run(main())
    assert fake.requests["/v2/bot/insight/message/event/aggregation"] == 1
    assert Label.objects.get().counted_until == TENTH


# The pages and the API.


def test_the_account_page_names_the_difference(client, world, line_account, fake, *, sent, ask):
    fake.counts.blocked = set(PEOPLE[:20])
    sent(PEOPLE, EVENING)
    ask(MORNING)
    client.force_login(world.people["hq"])
    shown = client.get(f"/admin/channels/account/{line_account.pk}/change/").content.decode()
    for words in ("Day (Asia/Tokyo)", "2027-03-10", "1,200", "1,180", "20 fewer", "LINE says"):
        assert words in shown


def test_the_api_lists_counts_to_who_manages_the_account_and_no_other(
    client, world, line_account, sent, ask
):
    sent(PEOPLE[:30], EVENING)
    ask(MORNING)
    client.force_login(world.people["hq"])
    (row,) = client.get(f"/api/v1/counts?account={line_account.pk}").json()["results"]
    assert (row["day"], row["zone"], row["handed"], row["told"], row["fewer"]) == (
        "2027-03-10", "Asia/Tokyo", 30, 30, 0,
    )  # fmt: skip
    client.force_login(world.people["xinyi"])
    assert client.get("/api/v1/counts").json()["results"] == []


def test_the_api_tells_who_opened_a_schedule(client, world, line_account, make_schedule):
    room = Room.objects.create(
        unit=world.xinyi, account=line_account, name="Group", address="C" + "0" * 32
    )
    schedule = make_schedule(rooms=[room])
    label(
        line_account, schedule.label_name, unit_path=world.xinyi.path, opened=640,
        counted_until=TENTH,
    )  # fmt: skip
    client.force_login(world.people["xinyi"])
    (row,) = client.get(f"/api/v1/schedules/{schedule.pk}/statistics").json()["results"]
    assert row["opened"] == 640 and row["clicked"] is None
    assert row["label"] == schedule.label_name and row["counted_until"] == "2027-03-10"
