"""Channels are asked about a message before it is registered: for certain is only what they said,
nothing is asked twice, and nobody waits for long."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from channels.models import Account, MediaLink, Room
from orgs.clock import database_now
from schedules.actions import register
from schedules.dispatch import rehearse
from schedules.dispatch.rehearse import Heard, hear, questions, remember
from schedules.findings import Finding, What
from schedules.models import PlaceholderValue, Preflight, Schedule
from tests.fakes.line import ACCESS_TOKEN, LineFake
from tests.schedules.dispatch.preflight.conftest import turn

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

PUSH = "/v2/bot/message/validate/push"
MULTICAST = "/v2/bot/message/validate/multicast"


@pytest.fixture
def draft(make_schedule: Callable[..., Schedule], clerk: Any, line_rooms: list[Room]) -> Any:
    def make(**values: Any) -> Schedule:
        return make_schedule(registered_by=clerk, **{"rooms": line_rooms} | values)

    return make


@pytest.fixture
def ask(clerk: Any) -> Callable[[Schedule], Heard]:
    def put(schedule: Schedule) -> Heard:
        return hear(questions(schedule, by=clerk, now=database_now()))[0]

    return put


def test_what_line_takes_is_asked_once_for_all_rooms_of_an_account(draft, ask, at_line):
    heard = ask(draft())
    assert (heard.problems, heard.doubts, heard.is_asked) == ({}, [], True)
    assert at_line.requests == {PUSH: 1} and at_line.log == []
    assert not MediaLink.objects.exists()


@pytest.fixture
def other_account(world: Any, line_rooms: list[Room]) -> Account:
    """That of the second group."""
    made = Account(unit=world.hq, name="LINE 2", kind="line", is_shared=True)
    made.secrets = {"access_token": "revoked"}
    made.save()
    Room.objects.filter(pk=line_rooms[1].pk).update(account=made)
    return made


@pytest.mark.usefixtures("other_account")
def test_each_account_is_asked_with_its_own_credentials(draft, ask, at_line):
    heard = ask(draft())
    assert at_line.requests == {PUSH: 2}
    assert heard.problems == {}
    (doubt,) = heard.doubts
    assert doubt.startswith("LINE refuses the account: LINE does not accept the access token")
    assert ACCESS_TOKEN not in doubt and "revoked" not in doubt


def test_of_a_text_with_placeholders_each_different_one_is_asked_about(draft, ask, at_line, world):
    PlaceholderValue.objects.create(unit=world.xinyi, name="phone", value="02-1234")
    ask(draft(text="Call {phone}"))
    ask(draft(text="Welcome to {room}"))
    assert at_line.requests == {PUSH: 3}


def test_a_message_to_an_audience_is_asked_about_as_a_multicast(draft, ask, at_line, make_audience):
    ask(draft(rooms=[], audience=make_audience(3)))
    assert at_line.requests == {MULTICAST: 1}


IMAGE = "LINE would not take image {}, “image {}.png”: No"


@pytest.mark.parametrize(
    ("seconds", "at_fault", "problems"),
    [
        (0, "messages[0].text", {"text": ["LINE would not take the text: No"]}),
        (0, "messages[2].originalContentUrl", {"images": [IMAGE.format(2, 1)]}),
        # Each message is a request of its own.
        (5, "messages[0].previewImageUrl", {"images": [IMAGE.format(1, 0), IMAGE.format(2, 1)]}),
    ],
)
def test_the_field_that_line_finds_fault_with_is_named(
    pictured, at_line, seconds, at_fault, problems
):
    at_line.dislikes = {at_fault: "No"}
    assert pictured(interval_seconds=seconds).problems == problems


def test_the_images_keep_their_numbers_where_they_go_first(pictured, at_line):
    at_line.dislikes = {"messages[1].previewImageUrl": "No"}
    assert pictured(order="images_first").problems == {"images": [IMAGE.format(2, 1)]}


@pytest.fixture
def pictured(draft, ask, make_images) -> Callable[..., Heard]:
    """What is heard of a message with two images."""

    def make(**values: Any) -> Heard:
        return ask(draft(images=make_images(2), **values))

    return make


def test_a_refusal_that_names_no_message_is_of_the_whole(draft, ask, at_line, monkeypatch):
    problem = {"message": "Size must be between 1 and 5", "property": "messages"}
    monkeypatch.setattr(LineFake, "_problems", lambda *_: [problem])
    assert list(ask(draft()).problems) == ["__all__"]


@pytest.mark.parametrize(
    "fault", ["5xx_before", "429_rate", "reset", "hang_never_accept", "html_200", "slow_drip"]
)
def test_a_line_that_does_not_answer_refuses_nothing(draft, ask, at_line, fault, monkeypatch):
    monkeypatch.setattr(rehearse, "SECONDS", 0.3)
    at_line.faults_of_questions.add(fault, times=9, seconds=60)
    heard = ask(draft())
    assert heard.problems == {}
    (doubt,) = heard.doubts
    assert doubt.startswith(
        "It could not be looked at whether the channel takes the message (LINE)"
    )


@pytest.mark.parametrize("state", ["spent", "forbidden"])
def test_what_has_to_do_with_the_account_refuses_no_message(draft, ask, at_line, state):
    if state == "spent":
        at_line.faults_of_questions.add("429_monthly")
    at_line.is_forbidden = state == "forbidden"
    heard = ask(draft())
    assert heard.problems == {}
    assert [finding.what for finding in heard.findings] == [
        What.SPENT if state == "spent" else What.CREDENTIALS
    ]


def test_a_host_whose_name_nobody_looks_up_holds_nobody(draft, ask, settings, monkeypatch):
    """Its thread goes on, and is not waited for."""
    settings.TEIJI_LINE_API_HOST = "https://line.invalid"
    settings.TEIJI_PUBLIC_URL = "https://teiji.example"
    monkeypatch.setattr(rehearse, "SECONDS", 0.2)
    go_on, ended = threading.Event(), threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        go_on.wait(30)
        ended.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    heard = ask(draft())
    assert not ended.is_set()
    assert [finding.what for finding in heard.findings] == [What.UNSEEN]
    go_on.set()
    assert ended.wait(30)


def test_one_account_that_hangs_hides_no_refusal_of_another(
    draft, ask, at_line, other_account, monkeypatch
):
    monkeypatch.setattr(rehearse, "SECONDS", 0.5)
    at_line.tokens["revoked"] = float("inf")
    at_line.dislikes = {"messages[0].text": "No"}
    at_line.faults_of_questions.add("hang_never_accept", seconds=60)
    heard = ask(draft())
    assert list(heard.problems) == ["text"]
    assert len(heard.doubts) == 1


def test_nothing_is_asked_where_no_channel_can_say_or_our_own_rules_refuse(
    draft, ask, at_line, world, line_account
):
    assert ask(draft(rooms=[world.room])) == Heard()
    assert ask(draft(title="")) == Heard()
    Account.objects.filter(pk=line_account.pk).update(stopped_at=database_now())
    assert ask(draft()) == Heard()
    assert at_line.requests == {}


def test_several_schedules_are_asked_about_at_once_and_answered_each_for_itself(
    draft, clerk, at_line, world
):
    rows = [draft(text="Hello"), draft(rooms=[world.room]), draft(images=[], text="Good bye")]
    at_line.dislikes = {"Good bye": "Too sad"}
    now = database_now()
    heard = hear(*(questions(row, by=clerk, now=now) for row in rows))
    assert [one.is_asked for one in heard] == [True, False, True]
    assert [list(one.problems) for one in heard] == [[], [], ["text"]]


def test_what_was_registered_in_doubt_is_looked_at_by_the_next_worker(draft, clerk, at_line):
    schedule, now = register(draft(), by=clerk), database_now()
    doubt = Finding(What.UNSEEN, {"part": "message", "channel": "LINE", "why": "?"})
    remember(schedule, Heard((doubt,), is_asked=True), now)
    row = Preflight.objects.get()
    assert (row.asked_at, row.found, row.due_at) == (now, [doubt], None)
    assert row.says_something_of(schedule, now)


def test_what_a_worker_has_found_otherwise_stays(draft, at_line):
    schedule, now = draft(), database_now()
    left = Finding(What.LEFT, {"rooms": ["Group 1"], "count": 1})
    no = Finding(What.REFUSED, {"channel": "LINE", "why": "No", "field": "text"})
    values = {"looked_at": now, "findings": [left.as_json(), no.as_json()]}
    Preflight.objects.create(schedule=schedule, **values)
    remember(schedule, Heard((), is_asked=True), now)
    assert Preflight.objects.get().found == [left]


def test_what_was_refused_and_is_taken_now_is_refused_no_more(draft, at_line):
    schedule, now = draft(), database_now()
    no = Finding(What.REFUSED, {"channel": "LINE", "why": "No", "field": "text"})
    remember(schedule, Heard((no,), is_asked=True), now)
    assert Preflight.objects.get().found == [no] and Preflight.objects.get().asked_at is None
    remember(schedule, Heard((), is_asked=True), now)
    row = Preflight.objects.get()
    assert row.found == [] and not row.says_something_of(schedule, now)


@pytest.mark.django_db(transaction=True)
def test_the_worker_that_looks_next_asks_line_itself(draft, clerk, at_line):
    schedule, now = register(draft(), by=clerk), database_now()
    doubt = Finding(What.UNSEEN, {"part": "message", "channel": "LINE", "why": "?"})
    remember(schedule, Heard((doubt,), is_asked=True), now)
    turn()
    row = Preflight.objects.get()
    assert at_line.requests[PUSH] == 1
    assert (row.asked_at, row.found) == (None, [])
