"""A notice reaches its places, and each place's fate is known."""

import re
from datetime import timedelta
from functools import partial

import pytest

from channels.alerts import AlertKind
from channels.alerts.gather import gather
from channels.alerts.places import Said
from channels.alerts.tell import HOLD, RETRY_AFTER, note, take
from channels.apprise.allowed import read
from channels.models import Telling
from orgs.clock import database_now
from orgs.models import Member, Unit
from orgs.reach import Role
from tests.channels.alerts.conftest import raise_one, tell_all
from tests.fakes.discord import URL
from tests.fakes.smtp import SmtpFake, serving_mail
from tests.schedules.at_once import at_once

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def fate() -> tuple[str, str]:
    return Telling.objects.filter(operator=None).values_list("state", "why").get()


def test_it_arrives_with_title_and_text(world, start, discord, add_target):
    add_target(world.xinyi)
    raise_one(world.xinyi, start, text="Morning notice → Xinyi room: HTTP 400")
    assert tell_all(start) == 1
    [entry] = discord.log
    assert "1 message failed for good (LINE)" in entry.content
    assert "Morning notice" in entry.content
    assert Telling.objects.values_list("state", "told_at").get() == ("told", start)
    assert tell_all(start + HOUR) == 0


def test_operators_are_told_too(world, start, discord, settings):
    settings.TEIJI_ALERT_URLS = [URL]
    raise_one(world.xinyi, start)
    assert tell_all(start) == 1
    assert len(discord.log) == 1


def test_a_place_that_is_busy_is_tried_again_and_then_given_up(world, start, discord, add_target):
    add_target(world.xinyi)
    discord.status = 429
    raise_one(world.xinyi, start)
    now = start
    for seconds in RETRY_AFTER:
        assert tell_all(now) == 1
        assert fate()[0] == "waiting"
        assert tell_all(now + timedelta(seconds=seconds - 1)) == 0
        now += timedelta(seconds=seconds)
    assert tell_all(now) == 1
    assert fate()[0] == "failed"
    assert tell_all(now + HOUR) == 0
    assert discord.log == []


def test_a_place_that_recovers_is_told_after_all(world, start, discord, add_target):
    add_target(world.xinyi)
    discord.status = 503
    raise_one(world.xinyi, start)
    tell_all(start)
    discord.status = 204
    tell_all(start + HOUR)
    assert fate() == ("told", "")
    assert len(discord.log) == 1


def test_a_place_that_is_gone_is_said_to_be(world, start, discord, add_target):
    add_target(world.xinyi)
    discord.status = 404
    raise_one(world.xinyi, start)
    tell_all(start)
    assert fate() == ("failed", "It did not take it (HTTP 404).")


def test_a_place_inside_is_not_told(world, start, discord, add_target, settings):
    settings.TEIJI_OUTGOING_ALLOW = []
    add_target(world.xinyi)
    raise_one(world.xinyi, start)
    tell_all(start)
    assert fate()[0] == "failed"
    assert discord.log == []


def test_what_may_have_arrived_is_not_told_again(world, start, add_target):
    add_target(world.xinyi)
    raise_one(world.xinyi, start)
    gather(start)
    (call,) = take(start)
    note(call, Said(Said.UNKNOWN, "No certain answer."), start)
    assert fate() == ("unsure", "No certain answer.")
    assert take(start + HOUR) == []


def test_what_a_killed_worker_held_is_told_by_another(world, start, add_target):
    add_target(world.xinyi)
    raise_one(world.xinyi, start)
    gather(start)
    assert len(take(start)) == 1
    assert take(start + HOLD / 2) == []
    assert len(take(start + HOLD)) == 1


def test_the_url_of_a_target_is_sealed(world, add_target):
    target = add_target(world.xinyi)
    stored = type(target).objects.filter(pk=target.pk).values().get()
    assert "s3cret" not in str(stored)
    assert target.url == URL


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"is_active": False}, "This place is no longer told."),
        ({"sealed": "gAAAnonsense"}, "Its URL cannot be opened with TEIJI_SECRET_KEYS."),
    ],
)
def test_what_changed_since_is_asked_at_the_last_moment(world, start, add_target, change, why):
    target = add_target(world.xinyi)
    raise_one(world.xinyi, start)
    gather(start)
    type(target).objects.update(**change)
    assert take(start) == []
    assert fate() == ("failed", why)


@pytest.fixture
def colleague(world) -> Member:
    user = world.person(world.north, Role.MANAGER)
    user.email = "kim@example.com"
    user.save()
    return user.member


@pytest.fixture
def mail(settings, tmp_path, monkeypatch):
    """A mail server of the operators'."""
    fake = SmtpFake()
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]
    url = "mailtos://me:s3cret@example.com/ops@example.com?smtp=localhost&mode=ssl"
    settings.TEIJI_ALERT_URLS = ["discord://1/elsewhere", url]
    with serving_mail(fake, tmp_path) as (port, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setattr("channels.alerts.places.read", partial(_with_port, port))
        yield fake


def test_a_member_is_told_by_mail(world, start, add_target, colleague, mail):
    add_target(world.north, member=colleague)
    raise_one(world.xinyi, start, text="電話 → Xinyi room")
    tell_all(start)
    assert fate() == ("told", "")
    assert sorted(re.findall(r"To: (\S*)", "".join(mail.log))) == [
        "kim@example.com",
        "ops@example.com",
    ]


def _with_port(port, url):
    service, fields = read(url)
    return service, {**fields, "port": port}


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        ("left", "This person may no longer see it."),
        ("inactive", "This person may no longer see it."),
        ("moved", "This person may no longer see it."),
        ("no_address", "This person has no mail address."),
        ("no_server", "No mail server is set: TEIJI_ALERT_URLS names none."),
    ],
)
@pytest.mark.usefixtures("world")
def test_who_may_not_or_cannot_be_told_is_not(settings, add_target, colleague, trouble, why):
    urls = [] if trouble == "no_server" else ["mailtos://me:x@example.com/ops@example.com"]
    settings.TEIJI_ALERT_URLS = urls
    xinyi = Unit.objects.get(code="xinyi")
    add_target(colleague.unit, member=colleague)
    start = database_now()
    raise_one(xinyi, start)
    gather(start)
    user = colleague.user
    if trouble == "moved":
        Member.objects.filter(pk=colleague.pk).update(unit=Unit.objects.get(code="tainan"))
    elif trouble == "left":
        Member.objects.filter(pk=colleague.pk).update(unit=xinyi)
    elif trouble == "inactive":
        type(user).objects.filter(pk=user.pk).update(is_active=False)
    elif trouble == "no_address":
        type(user).objects.filter(pk=user.pk).update(email="")
    assert [call.to for call in take(start)] == ["TEIJI_ALERT_URLS 1"] * len(urls)
    assert fate() == ("failed", why)


def test_of_kinds_that_may_be_told_only_those_are(world, start, add_target):
    add_target(world.xinyi)
    raise_one(world.xinyi, start)
    assert gather(start, only=[AlertKind.FENCED]) == 0
    gather(start)
    assert take(start, only=[AlertKind.FENCED]) == []
    assert len(take(start)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_workers_at_once_one_tells(world, start, add_target):
    for number in range(3):
        add_target(world.xinyi, name=f"Ops {number}")
    raise_one(world.xinyi, start)
    gather(start)
    answers = at_once(*(partial(take, start) for _ in range(3)))
    assert sorted(call.telling for calls in answers for call in calls) == sorted(
        Telling.objects.values_list("pk", flat=True)
    )
