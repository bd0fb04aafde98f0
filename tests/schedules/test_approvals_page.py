"""The queue of approvals: who sees what, soonest first, the two answers; the same by the API."""

from datetime import timedelta

import pytest
from django.test import Client

from orgs.reach import Role
from schedules.actions import refuse, register
from schedules.models import Approval, Schedule
from tests.pages import queries_of
from tests.schedules.api.calling import caller
from tests.schedules.approving import agency_of, seen

pytestmark = pytest.mark.django_db

PAGE = "/admin/schedules/approval/"


@pytest.fixture
def agency(world):
    return agency_of(world)


@pytest.fixture
def asked(agency, make_schedule) -> Approval:
    schedule = register(make_schedule(title="Spring sale", text="Half price"), by=agency.clerk)
    return Approval.objects.get(schedule=schedule)


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(client: Client, address: str = PAGE) -> str:
    return client.get(address).content.decode()


def test_the_soonest_send_stands_first_and_what_goes_at_once_before_all(
    agency, make_schedule, asked
):
    register(make_schedule(title="Later", text="b", due_in=9000), by=agency.clerk)
    register(make_schedule(title="Sooner", text="c", due_in=900), by=agency.clerk)
    now = {"timing_kind": "now", "date": None, "time": None}
    register(make_schedule(title="At once", text="d", **now), by=agency.clerk)
    page = text(signed_in(agency.chief))
    places = [page.index(name) for name in ("At once", "Sooner", "Spring sale", "Later")]
    assert places == sorted(places)


def test_the_approver_sees_what_the_room_will_see_and_lets_it_go(agency, asked):
    chief = signed_in(agency.chief)
    page = text(chief, f"{PAGE}{asked.pk}/")
    assert "Half price" in page and "Xinyi room" in page
    said = chief.post(f"{PAGE}{asked.pk}/approve/", {"seen": seen(asked.schedule)}, follow=True)
    assert "is approved" in said.content.decode()
    asked.refresh_from_db()
    assert (asked.verdict, asked.answered_by) == ("approved", agency.chief)
    assert "Spring sale" not in text(chief).partition("messagelist")[0]
    assert chief.get(f"{PAGE}{asked.pk}/").status_code == 404


def test_a_page_that_is_old_approves_nothing(agency, asked):
    old = seen(asked.schedule)
    Schedule.objects.filter(pk=asked.schedule_id).update(text="Twice the price")
    said = signed_in(agency.chief).post(f"{PAGE}{asked.pk}/approve/", {"seen": old}, follow=True)
    assert "changed since you looked" in said.content.decode()
    assert Schedule.objects.get(pk=asked.schedule_id).state == "waiting"


def test_who_refuses_says_why_and_the_author_reads_it(agency, asked):
    chief, clerk = signed_in(agency.chief), signed_in(agency.clerk)
    said = chief.post(f"{PAGE}{asked.pk}/refuse/", {"note": " "}, follow=True).content.decode()
    assert "Write down why" in said
    chief.post(f"{PAGE}{asked.pk}/refuse/", {"note": "Which spring?"})
    page = clerk.get(f"/admin/schedules/schedule/{asked.schedule_id}/change/", follow=True)
    assert "Which spring?" in page.content.decode()


def test_the_author_reads_whom_it_waits_for_and_does_not_answer(agency, asked):
    clerk = signed_in(agency.clerk)
    page = text(clerk, f"/admin/schedules/schedule/{asked.schedule_id}/change/")
    assert "waits for an approver of Taipei" in page and f"{PAGE}{asked.pk}/" not in page
    assert clerk.get(PAGE).status_code == 403
    assert clerk.post(f"{PAGE}{asked.pk}/approve/", {"seen": asked.digest}).status_code == 404


@pytest.mark.parametrize("who", ["south", "tainan", "xinyi"])
def test_elsewhere_and_below_nothing_of_it_is_seen(world, asked, who):
    client = signed_in(world.people[who])
    assert "Spring sale" not in text(client)
    assert client.get(f"{PAGE}{asked.pk}/").status_code == 404
    assert client.post(f"{PAGE}{asked.pk}/refuse/", {"note": "no"}).status_code == 404


def test_the_queue_asks_as_often_for_thirty_as_for_one(agency, make_schedule, asked):
    chief = signed_in(agency.chief)
    text(chief)
    one = queries_of(chief, PAGE)
    for number in range(29):
        register(make_schedule(text=f"Text {number}"), by=agency.clerk)
    assert queries_of(chief, PAGE) == one


def test_by_the_api_it_is_read_and_answered(agency, asked):
    call = caller(agency.chief, "approve")
    address = f"/schedules/{asked.schedule_id}"
    question = call.get(f"{address}/approval").json()
    assert (question["answer"], question["content"]["text"]) == ("", "Half price")
    wrong = {"digest": "0" * 64}
    assert call.post(f"{address}/approve", wrong).status_code == 409
    yes = call.post(f"{address}/approve", {"digest": question["digest"]})
    assert (yes.status_code, yes.json()["state"]) == (200, "active")
    assert call.post(f"{address}/refuse", {"note": "late"}).status_code == 409


def test_a_token_without_the_scope_answers_nothing(agency, asked):
    address = f"/schedules/{asked.schedule_id}"
    for scope in ("read", "write"):
        call = caller(agency.chief, scope)
        answer = call.post(f"{address}/approve", {"digest": seen(asked.schedule)})
        assert answer.status_code == 403
    call = caller(agency.chief, "approve")
    assert call.post(f"{address}/refuse", {"note": ""}).status_code == 400
    assert Schedule.objects.get(pk=asked.schedule_id).state == "waiting"


def test_its_own_author_and_who_stands_below_are_refused_by_the_api(world, agency, asked):
    address = f"/schedules/{asked.schedule_id}/approve"
    body = {"digest": seen(asked.schedule)}
    below = world.person(world.xinyi, Role.APPROVER)
    assert caller(below, "approve").post(address, body).status_code == 409
    clerk = agency.clerk.member
    clerk.unit, clerk.role = world.taipei, Role.APPROVER
    clerk.save()
    own = caller(agency.clerk, "approve").post(address, body)
    assert own.status_code == 409 and "Nobody approves" in own.json()["detail"]


def test_what_has_passed_is_no_question_any_more(agency, asked):
    due = asked.schedule.next_due_at
    Schedule.objects.filter(pk=asked.schedule_id).update(next_due_at=due - timedelta(hours=2))
    assert "Its time has come" in text(signed_in(agency.chief), f"{PAGE}{asked.pk}/")


def test_the_approver_sees_what_changed_since_the_last_answer(world, agency, asked):
    chief, page = signed_in(agency.chief), f"{PAGE}{asked.pk}/"
    assert "Changed since" not in text(chief, page)
    row = refuse(asked.schedule, by=agency.chief, note="Which room?")
    row.text, row.on_quiet = "A third of the price", "skip"
    row.save()
    row.rooms.set([world.test_room])
    register(row, by=agency.clerk)
    changed = text(chief, page).partition('id="changed"')[2].partition("</section>")[0]
    for word in ("Half price", "A third of the price", "Xinyi room", "Xinyi test", "leave it out"):
        assert word in changed
    assert "time zone" not in changed


def test_the_history_of_an_approval_has_words_and_no_long_digest(agency, asked):
    chief = signed_in(agency.chief)
    chief.post(f"{PAGE}{asked.pk}/approve/", {"seen": seen(asked.schedule), "note": "Fine"})
    page = text(chief, "/admin/logs/history/?kind=schedule")
    assert "asked of" in page and "fingerprint of what is sent" in page
    assert asked.digest not in page and f"{asked.digest[:12]}…" in page
