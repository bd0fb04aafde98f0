"""A unit's runs in other calendar programs: by an address that only its person knows."""

import re
from datetime import UTC, timedelta
from urllib.parse import urlsplit

import pytest
from django.core.cache import caches
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from logs.models import History
from orgs.clock import database_now
from orgs.models import Member
from orgs.reach import Role
from schedules.actions import register
from schedules.dispatch.plan import plan
from schedules.models import CalendarFeed, Run, Schedule
from schedules.shown.calendar.icalendar import folded, text
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/calendar/feeds/"


@pytest.fixture(autouse=True)
def _nothing_is_kept():
    caches["memory"].clear()


@pytest.fixture
def get_feed(world):
    """The path of a new feed of this person for this unit."""

    def get(who: str = "xinyi", unit=None, **values) -> str:
        client = Client()
        client.force_login(world.people[who])
        answer = client.post(PAGE, {"unit": (unit or world.xinyi).pk} | values)
        assert answer.headers["Cache-Control"].startswith("private, no-store")
        return urlsplit(re.search(r'value="(http\S+\.ics)"', answer.text)[1]).path

    return get


def read(path: str, **headers: str):
    caches["memory"].clear()
    return Client().get(path, headers=headers)


def unfolded(answer) -> list[str]:
    return answer.content.decode().replace("\r\n ", "").split("\r\n")


def events(answer) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for line in unfolded(answer):
        name, _colon, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            found[-1].setdefault(name, value)
    return found


@pytest.fixture
def daily(world, make_schedule) -> Schedule:
    values = {"timing_kind": "daily", "zone": "Asia/Taipei", "date": None, "text": "Secret text"}
    schedule = make_schedule(title="Notice, daily; 공지", **values)
    return register(schedule, by=world.people["xinyi"])


def test_what_is_to_go_stands_in_it_in_utc(daily, get_feed):
    answer = read(get_feed())
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    lines = unfolded(answer)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert "METHOD:PUBLISH" in lines
    assert "X-WR-TIMEZONE:Asia/Taipei" in lines
    first, *rest = events(answer)
    assert first["DTSTART"] == f"{daily.next_due_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    assert first["SUMMARY"] == "Notice\\, daily\\; 공지"
    assert len(rest) > 20


def test_it_keeps_its_uid_when_it_is_planned_and_when_it_went(daily, get_feed):
    path = get_feed()
    before = events(read(path))[0]
    plan(daily.next_due_at)
    Run.objects.update(state="sent")
    after = events(read(path))[0]
    assert (after["UID"], after["STATUS"]) == (before["UID"], "CONFIRMED")
    uids = [event["UID"] for event in events(read(path))]
    assert len(uids) == len(set(uids))


def test_it_shows_titles_and_times_alone_unless_more_was_chosen(world, daily, get_feed):
    plain = read(get_feed()).content.decode()
    assert "Xinyi room" not in plain
    assert "DESCRIPTION" not in plain
    detailed = read(get_feed(details="on"))
    event = events(detailed)[0]
    assert event["DESCRIPTION"] == "Xinyi\\nscheduled"
    assert event["URL"].endswith(f"/admin/schedules/schedule/{daily.pk}/change/")
    for answer in (plain, detailed.content.decode()):
        assert "Secret text" not in answer
        assert world.room.name not in answer


def test_what_does_not_go_is_cancelled_and_what_waits_is_tentative(world, daily, get_feed):
    path = get_feed()
    Schedule.objects.update(state="waiting")
    assert events(read(path))[0]["STATUS"] == "TENTATIVE"
    Schedule.objects.update(state="active")
    plan(daily.next_due_at)
    Run.objects.update(state="skipped")
    assert events(read(path))[0]["STATUS"] == "CANCELLED"


def test_a_feed_is_of_its_unit_and_of_all_under_it(world, daily, get_feed):
    assert events(read(get_feed("north", world.north)))
    assert events(read(get_feed("hq", world.south))) == []


def test_the_same_is_not_sent_twice(daily, get_feed):
    path = get_feed()
    etag = read(path).headers["ETag"]
    again = read(path, **{"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    Schedule.objects.update(title="Another")
    assert read(path, **{"If-None-Match": etag}).status_code == 200


def test_it_is_kept_for_a_moment_and_rights_are_asked_each_time(world, daily, get_feed):
    path = get_feed()
    client = Client()
    first = client.get(path)
    Schedule.objects.update(title="Another")
    assert client.get(path).content == first.content
    Member.objects.filter(user=world.people["xinyi"]).update(unit=world.tainan)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("change", ["left", "moved", "user", "unit", "revoked", "deleted"])
def test_whose_rights_end_reads_nothing_more(world, daily, get_feed, change):
    path = get_feed()
    person = world.people["xinyi"]
    client = Client()
    client.force_login(person)
    if change == "left":
        person.member.delete()
    elif change == "moved":
        Member.objects.filter(user=person).update(unit=world.tainan)
    elif change == "user":
        type(person).objects.filter(pk=person.pk).update(is_active=False)
    elif change == "unit":
        type(world.north).objects.filter(pk=world.north.pk).update(is_active=False)
    elif change == "revoked":
        client.post(f"{PAGE}{CalendarFeed.objects.get().pk}/revoke/")
    else:
        person.delete()
    answer, never = read(path), read("/calendar/never-was.ics")
    assert (answer.status_code, answer.content) == (404, b"")
    assert (never.status_code, never.content) == (404, b"")
    assert dict(answer.headers) | {"X-Request-ID": ""} == dict(never.headers) | {"X-Request-ID": ""}


def test_only_its_digest_is_stored_and_a_new_one_replaces_it(world, get_feed):
    old, new = get_feed(), get_feed()
    key = new.removeprefix("/calendar/").removesuffix(".ics")
    assert key not in str(CalendarFeed.objects.values())
    assert key not in str(list(History.objects.values()))
    assert (read(old).status_code, read(new).status_code) == (404, 200)
    assert CalendarFeed.objects.count() == 1
    client = Client()
    client.force_login(world.people["xinyi"])
    assert key not in client.get(PAGE).text


def test_a_unit_out_of_reach_is_as_one_that_is_not(world):
    client = Client()
    client.force_login(world.people["xinyi"])
    answers = [client.post(PAGE, {"unit": pk}).status_code for pk in (world.tainan.pk, 10**9, "x")]
    assert answers == [404] * 3
    client.force_login(world.people["stranger"])
    assert client.get(PAGE).status_code == 404


def test_a_viewer_may_have_one_and_nobody_revokes_anothers(world, get_feed):
    world.people["viewer"] = world.person(world.xinyi, Role.VIEWER)
    path = get_feed("viewer")
    client = Client()
    client.force_login(world.people["hq"])
    assert client.post(f"{PAGE}{CalendarFeed.objects.get().pk}/revoke/").status_code == 404
    assert read(path).status_code == 200


def test_when_it_was_read_is_noted_now_and_then(get_feed):
    path = get_feed()
    read(path)
    first = CalendarFeed.objects.get().read_at
    read(path)
    assert CalendarFeed.objects.get().read_at == first is not None
    CalendarFeed.objects.update(read_at=database_now() - timedelta(hours=1))
    read(path)
    assert CalendarFeed.objects.get().read_at > first


def test_as_much_is_asked_for_many_as_for_one(world, make_schedule, get_feed):
    path = get_feed()

    def asked() -> int:
        caches["memory"].clear()
        CalendarFeed.objects.update(read_at=database_now())
        return queries_of(Client(), path)

    values = {"timing_kind": "daily", "zone": "Asia/Taipei", "date": None}
    register(make_schedule(title="0", text="0", **values), by=world.people["xinyi"])
    one = asked()
    for number in range(1, 20):
        title = str(number)
        register(make_schedule(title=title, text=title, **values), by=world.people["xinyi"])
    assert asked() == one


@given(st.text())
def test_no_line_is_longer_than_75_octets_and_nothing_is_lost(line):
    pieces = folded(line).split("\r\n ")
    assert "".join(pieces) == line or "\r\n " in line
    assert all(len(piece.encode()) <= 75 for piece in folded(line.replace("\n", "")).split("\r\n"))


@given(st.text())
def test_a_text_is_one_line_whatever_is_in_it(value):
    written = text(value)
    assert "\n" not in written
    assert "\r" not in written
    plain = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], written)
    assert (
        plain.replace("\n", " ").split()
        == re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", " ", value.replace("\r\n", "\n").replace("\r", "\n"))
        .replace("\n", " ")
        .split()
    )
