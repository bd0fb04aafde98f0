"""The worklist of what is not confirmed: what it shows, to whom, and how it is decided."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from channels.models import Account, Room
from logs.models import History
from orgs.models import Unit
from orgs.reach import Role
from schedules.actions import Verdict, cancel, resolve
from schedules.models import Delivery
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/not-confirmed/"
DECIDE = f"{PAGE}decide/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def without_keys(world):
    Account.objects.update(config={"honours_key": "no"})


def value(row: Delivery) -> str:
    return f"{row.pk}@{row.completed_at.isoformat()}"


def text(client: Client, query: str = "") -> str:
    return client.get(PAGE + query).content.decode()


def shown(client: Client, query: str = "") -> list[int]:
    return [line.delivery.pk for line in client.get(PAGE + query).context["lines"]]


def decide(client: Client, **posted) -> str:
    return client.post(DECIDE, posted, follow=True).content.decode()


def state(row: Delivery) -> str:
    return Delivery.objects.get(pk=row.pk).state


def test_the_oldest_is_first_and_all_evidence_is_with_it(desk, doubtful):
    newer, older = doubtful(title="New", text="Second"), doubtful(title="Old", ago=HOUR)
    page = text(desk)
    assert shown(desk) == [older.pk, newer.pk]
    for words in ("Old", "Good morning", "Xinyi room", "Xinyi", "The line broke.", "1 attempt",
                  "no certain answer came back", "1 hour ago", "UTC"):  # fmt: skip
        assert words in page, words
    handed_at = newer.started_at
    assert handed_at.isoformat(timespec="milliseconds") in page


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("lost_answer", "no certain answer came back"),
        ("lost_worker", "The worker that was sending it was lost"),
        ("asked", "is being asked whether it arrived"),
    ],
)
def test_why_nobody_can_know_is_said(desk, doubtful, how, words):
    doubtful(how)
    page = text(desk, "?show=asked" if how == "asked" else "")
    assert words in page
    assert ("Asked until" in page) == (how == "asked")


def test_what_may_settle_by_itself_is_apart(desk, doubtful):
    asked, waiting = doubtful("asked", text="One"), doubtful(text="Two")
    assert (shown(desk), shown(desk, "?show=asked")) == ([waiting.pk], [asked.pk])
    start = desk.get("/admin/")
    assert [card.number for card in start.context["cards"] if card.address == PAGE] == [1]
    assert f'href="{PAGE}"' in start.content.decode()


@pytest.mark.parametrize(
    ("who", "count"), [("hq", 1), ("taipei", 1), ("xinyi", 1), ("tainan", 0), ("south", 0)]
)
def test_it_shows_what_is_within_reach(client, world, doubtful, who, count):
    doubtful()
    client.force_login(world.people[who])
    assert len(shown(client)) == count


def test_to_a_stranger_it_is_not_there(client, world):
    client.force_login(world.people["stranger"])
    assert client.get(PAGE).status_code == client.post(DECIDE).status_code == 404


def test_a_viewer_reads_and_decides_nothing(client, world, doubtful):
    row = doubtful()
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert "It arrived" not in text(client)
    assert client.post(DECIDE, {"one": f"arrived {value(row)}"}).status_code == 404
    assert state(row) == "unconfirmed"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?channel=sandbox", 2), ("?channel=line", 0), ("?age=hour", 1), ("?age=week", 0),
        ("?unit={xinyi}", 1), ("?unit={north}", 1), ("?unit={hq}", 2),
        ("?unit={taipei}&age=hour", 0), ("?account={sandbox}", 2),
        ("?account=999", 0), ("?account=x", 0), ("?unit=0", 0),
        ("?show=what&age=what", 2), ("?page=x", 2), ("?page=99", 2),
    ],
)  # fmt: skip
def test_it_is_narrowed(client, world, doubtful, query, found):
    doubtful(text="One")
    doubtful(unit=world.tainan, rooms=[world.tainan_room], ago=2 * HOUR)
    client.force_login(world.people["hq"])
    ids = {"xinyi": world.xinyi.pk, "north": world.north.pk, "hq": world.hq.pk}
    ids |= {"taipei": world.taipei.pk, "sandbox": world.sandbox.pk}
    assert len(shown(client, query.format(**ids))) == found


def test_no_choice_names_what_is_out_of_reach(desk, world, doubtful):
    doubtful()
    Unit.objects.filter(pk=world.tainan.pk).update(name="CANARY unit")
    Account.objects.filter(pk=world.sandbox.pk).update(name="CANARY account")
    doubtful(unit=world.tainan, rooms=[world.tainan_room])
    page = text(desk, f"?unit={world.tainan.pk}&account={world.sandbox.pk}")
    assert "CANARY" not in page
    assert shown(desk, f"?unit={world.tainan.pk}") == []


def test_it_takes_as_many_queries_for_one_as_for_many(desk, world, doubtful):
    doubtful(text="One")
    desk.get(PAGE)
    few = queries_of(desk, PAGE)
    for number in range(5):
        room = Room.objects.create(
            unit=world.xinyi, account=world.sandbox, name=f"R{number}", address=f"r{number}"
        )
        doubtful(rooms=[room])
    assert queries_of(desk, PAGE) == few


@pytest.mark.parametrize(("word", "end"), [("arrived", "sent"), ("leave", "unconfirmed")])
def test_one_is_decided_by_its_own_button_with_the_note_typed(desk, doubtful, word, end):
    row, other = doubtful(text="One"), doubtful(text="Two")
    decide(desk, one=f"{word} {value(row)}", row=value(other), note=" Looked. ")
    assert (state(row), state(other)) == (end, "unconfirmed")
    assert History.objects.get(verb=word).changes["note"] == "Looked."
    assert shown(desk) == [other.pk]


def test_what_was_left_says_by_whom_and_can_still_be_decided(desk, clerk, doubtful):
    row = doubtful()
    decide(desk, one=f"leave {value(row)}", note="Ask Kim")
    page = text(desk, "?show=left")
    assert clerk.username in page
    assert "Ask Kim" in page
    assert f"leave {value(row)}" not in page
    decide(desk, one=f"arrived {value(row)}")
    assert state(row) == "sent"


def test_several_are_decided_together_and_the_refused_are_named(desk, world, doubtful):
    rows = [doubtful(text=f"Text {number}") for number in range(3)]
    resolve(rows[1], Verdict.ARRIVED, by=world.people["xinyi"])
    page = decide(desk, verdict="arrived", row=[value(row) for row in rows])
    assert "2 messages: it arrived." in page
    assert re.search("Xinyi room: xinyi has decided at", page)
    assert [state(row) for row in rows] == ["sent"] * 3


@pytest.mark.parametrize("second", ["arrived", "send_again", "leave"])
@pytest.mark.parametrize("first", ["arrived", "send_again"])
def test_a_second_tab_is_told_what_was_decided_and_by_whom_and_changes_nothing(
    desk, clerk, doubtful, first, second
):
    row = doubtful()
    seen = value(row)  # in both tabs
    decide(desk, one=f"{first} {seen}", sure="1")
    before = Delivery.objects.filter(pk=row.pk).values().get()
    page = decide(desk, one=f"{second} {seen}")
    said = {"arrived": "it arrived", "send_again": "it did not, send now"}[first]
    assert re.search(f"Xinyi room: {clerk.username} has decided at .*: {said}", page)
    assert "Are you sure?" not in page
    assert Delivery.objects.filter(pk=row.pk).values().get() == before
    assert History.objects.filter(kind="delivery", verb__in=["arrived", "send_again"]).count() == 1


def test_sending_is_asked_about_first_and_says_how_late_it_would_be(desk, doubtful):
    rows = [doubtful(text="One", ago=2 * HOUR), doubtful(text="Two")]
    answer = desk.post(DECIDE, {"verdict": "send_again", "row": [value(r) for r in rows]})
    page = answer.content.decode()
    assert "Send these 2 messages now?" in page
    assert "2 hours ago" in page
    assert [state(row) for row in rows] == ["unconfirmed"] * 2
    posted = dict(re.findall(r'type="hidden" name="(sure|verdict|next)" value="([^"]*)"', page))
    values = [v.replace("+", "+") for v in re.findall(r'name="row" value="([^"]*)"', page)]
    assert values == [value(row) for row in rows]
    decide(desk, **posted, row=values, note="They called")
    assert [state(row) for row in rows] == ["planned"] * 2
    assert History.objects.filter(verb="send_again", changes__note="They called").count() == 2


def test_what_is_still_asked_is_not_decided_without_a_second_question(desk, doubtful):
    row = doubtful("asked")
    page = decide(desk, one=f"arrived {value(row)}")
    assert "before the channel has answered?" in page
    assert state(row) == "unconfirmed"
    decide(desk, verdict="arrived", row=value(row), sure="yes")
    assert state(row) == "sent"


def test_the_page_of_a_run_asks_as_well(desk, doubtful):
    row = doubtful(ago=HOUR)
    address = f"/admin/schedules/delivery/{row.pk}/resolve/"
    posted = {"verdict": "send_again", "seen": row.completed_at.isoformat()}
    assert "Send this message now?" in desk.post(address, posted).content.decode()
    assert state(row) == "unconfirmed"


def test_nothing_ticked_decides_nothing_and_says_so(desk, doubtful):
    row = doubtful()
    assert "Tick the messages" in decide(desk, verdict="arrived")
    assert state(row) == "unconfirmed"


@pytest.mark.parametrize("row", ["", "x", "1" * 30, "@", "-1@x", "٣@x", "1@x"])
def test_what_is_no_row_is_none(desk, doubtful, row):
    doubtful()
    answer = desk.post(DECIDE, {"verdict": "arrived", "row": row})
    assert answer.status_code == 302
    assert Delivery.objects.get().state == "unconfirmed"


@pytest.mark.parametrize("word", ["", "what", "cancelled"])
def test_what_is_no_answer_is_refused(desk, doubtful, word):
    assert desk.post(DECIDE, {"verdict": word, "row": value(doubtful())}).status_code == 404


def test_looking_decides_nothing(desk, doubtful):
    row = doubtful()
    assert desk.get(DECIDE, {"verdict": "arrived", "row": value(row)}).status_code == 405
    assert state(row) == "unconfirmed"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:1"])
def test_the_way_back_stays_here(desk, doubtful, wanted):
    posted = {"one": f"leave {value(doubtful())}", "next": wanted}
    assert desk.post(DECIDE, posted).headers["Location"] == PAGE


def test_of_a_cancelled_schedule_nothing_can_be_sent(desk, doubtful, clerk):
    row = doubtful()
    cancel(row.run.schedule, by=clerk)
    page = text(desk)
    assert "it can no longer be sent" in page
    assert f"send_again {value(row)}" not in page
