"""Whoever registered a run is told how it ended: by the bell, and outside as they choose."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from channels.actions.notices import choose, mark_read
from channels.alerts.places import Said, tell
from channels.facts import written
from channels.models import Fact, FactKind, NoticeChoice, OwnNotice
from channels.told.notices import keep, next_digest
from channels.told.telling import RETRY_AFTER, note, take
from channels.webhooks.spread import spread
from logs.models import History
from orgs.clock import database_now
from orgs.models import Member, User
from orgs.refusal import Refused
from tests.fakes.discord import URL

pytestmark = pytest.mark.django_db


@pytest.fixture
def start():
    return database_now()


@pytest.fixture
def person(world) -> User:
    user = world.people["xinyi"]
    User.objects.filter(pk=user.pk).update(email="xinyi@example.com")
    user.refresh_from_db()
    return user


def end(person, now, kind=FactKind.SENT, **values):
    """A run of this person has ended so, and a worker has seen it."""
    data = {"run": 1, "title": "Morning notice", "trigger": "timing", "due_at": written(now)}
    data |= values
    unit = Member.objects.get(user=person).unit
    Fact.objects.create(kind=kind, unit_path=unit.path, at=now, data=data, owner=person)
    spread(now)


def wants(person, **values):
    facts = {"bell": "everything", "outside": "everything", "rhythm": "at_once", "place": "mail"}
    return choose(facts | values, by=person)


@pytest.fixture
def by_mail(settings):
    settings.TEIJI_ALERT_URLS = ["mailtos://teiji:pw@smtp.example.com?from=teiji@example.com"]


def test_each_run_is_one_notice_and_what_is_found_out_later_is_new_again(person, start):
    end(person, start, FactKind.UNCONFIRMED)
    mark_read(person, until=OwnNotice.objects.get().pk)
    end(person, start + timedelta(minutes=1), FactKind.SENT)
    notice = OwnNotice.objects.get()
    assert (notice.kind, notice.read_at, notice.user) == ("run.sent", None, person)


def test_two_facts_of_one_run_in_one_turn_leave_the_last(person, start):
    data = {"run": 1, "title": "T", "trigger": "timing", "due_at": written(start)}
    facts = [
        Fact(kind=kind, unit_path="0001", at=start, data=data, owner=person)
        for kind in (FactKind.UNCONFIRMED, FactKind.FAILED)
    ]
    keep(facts, start)
    assert OwnNotice.objects.get().kind == "run.failed"


def test_of_tests_and_of_runs_of_nobody_there_is_none(person, start):
    end(person, start, trigger="test")
    data = {"run": 2, "title": "T", "trigger": "timing", "due_at": written(start)}
    Fact.objects.create(kind=FactKind.SENT, unit_path="0001", at=start, data=data)
    spread(start)
    assert OwnNotice.objects.count() == 0


def test_what_the_bell_is_not_to_count_is_there_and_read(person, start):
    wants(person, bell="failures", outside="nothing")
    end(person, start, FactKind.SENT, run=1)
    end(person, start, FactKind.FAILED, run=2)
    unread = OwnNotice.objects.filter(read_at=None)
    assert [notice.run_id for notice in unread] == [2]
    assert OwnNotice.objects.count() == 2


@pytest.mark.parametrize(
    ("outside", "told"), [("nothing", []), ("failures", [2, 3]), ("everything", [1, 2, 3])]
)
def test_outside_they_are_told_what_they_chose(person, by_mail, start, outside, told):
    wants(person, outside=outside)
    for run, kind in enumerate((FactKind.SENT, FactKind.FAILED, FactKind.UNCONFIRMED), start=1):
        end(person, start, kind, run=run, title=f"Notice {run}")
    bodies = "".join(call.body for call in take(start))
    assert [run for run in (1, 2, 3) if f"Notice {run}" in bodies] == told


def test_nothing_is_told_twice(person, by_mail, start):
    wants(person)
    end(person, start)
    [call] = take(start)
    assert take(start) == []
    note(call, Said(Said.UNKNOWN, "who knows"), start)
    assert take(start + timedelta(days=1)) == []
    assert NoticeChoice.objects.get().trouble == "who knows"


def test_who_dies_while_telling_leaves_it_to_another(person, by_mail, start):
    wants(person)
    end(person, start)
    take(start)
    assert len(take(start + timedelta(minutes=3))) == 1


def test_what_comes_soon_after_is_one_message(person, by_mail, start):
    wants(person)
    end(person, start, run=1, title="First")
    [call] = take(start)
    note(call, Said(Said.TAKEN), start)
    for run in (2, 3):
        end(person, start + timedelta(minutes=run), run=run, title=f"Number {run}")
    assert take(start + timedelta(minutes=4)) == []
    [call] = take(start + timedelta(minutes=6))
    assert call.title == "Teiji: 2 results of your schedules"
    assert "Number 2" in call.body
    assert "Number 3" in call.body
    assert "First" not in call.body


def test_what_could_not_be_told_is_tried_again_some_times(person, by_mail, start):
    wants(person)
    end(person, start)
    now = start
    for seconds in RETRY_AFTER:
        [call] = take(now)
        note(call, Said(Said.LATER, "busy"), now)
        assert take(now + timedelta(seconds=seconds - 1)) == []
        now += timedelta(seconds=seconds)
    [call] = take(now)
    note(call, Said(Said.LATER, "busy"), now)
    assert take(now + timedelta(days=1)) == []


def test_once_a_day_it_is_at_eight_on_the_clock_of_the_unit(person, by_mail):
    at = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)  # six in the evening in Taipei
    wants(person, rhythm="daily")
    for run in (1, 2):
        end(person, at, run=run)
    eight = datetime(2026, 11, 27, 0, 0, tzinfo=UTC)
    assert take(eight - timedelta(seconds=1)) == []
    [call] = take(eight)
    assert call.title == "Teiji: 2 results of your schedules"
    assert next_digest("Asia/Taipei", eight) == eight + timedelta(days=1)


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", "발송됨"), ("zh-hant", "已傳送"), ("zh-hans", "已发送"), ("en", "sent")],
)
def test_it_is_in_the_readers_language(person, by_mail, start, language, words):
    User.objects.filter(pk=person.pk).update(language=language)
    wants(person)
    end(person, start)
    [call] = take(start)
    assert call.title == f"Teiji: Morning notice · {words}"
    assert words in call.body
    assert "Asia/Taipei" in call.body


def test_whose_rights_ended_is_told_nothing(world, person, by_mail, start):
    wants(person)
    end(person, start)
    Member.objects.filter(user=person).update(unit=world.tainan)
    assert take(start) == []
    assert OwnNotice.objects.filter(tell_at__isnull=False).count() == 0


def test_without_a_mail_server_the_person_sees_why(person, settings, start):
    settings.TEIJI_ALERT_URLS = []
    wants(person)
    end(person, start)
    assert take(start) == []
    assert "No mail server" in NoticeChoice.objects.get().trouble


def test_a_chat_service_is_told(person, discord, start):
    wants(person, place="apprise", url=URL)
    end(person, start, FactKind.FAILED)
    [call] = take(start)
    said = asyncio.run(tell(call.url, call.title, call.body))
    note(call, said, start)
    [entry] = discord.log
    assert "Morning notice" in entry.content
    assert "failed" in entry.content


def test_its_url_is_a_secret(person):
    choice = wants(person, place="apprise", url=URL)
    assert (choice.url, choice.service) == (URL, "discord")
    assert "s3cret" not in str(list(History.objects.values()))
    assert wants(person, place="apprise", url="").url == URL
    with pytest.raises(Refused):
        wants(person, place="apprise", url="file:///etc/passwd")
    assert wants(person, place="mail").sealed == ""


def test_mail_needs_an_address(world):
    with pytest.raises(Refused, match="no mail address"):
        wants(world.people["tainan"])


def test_who_wants_nothing_any_more_is_told_nothing_that_waits(person, by_mail, start):
    wants(person, rhythm="daily")
    end(person, start)
    wants(person, outside="nothing")
    assert take(start + timedelta(days=2)) == []
