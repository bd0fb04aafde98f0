"""Whoever may answer an approval is told that it waits, as long as it does."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.actions.notices import choose, mark_read
from channels.models import OwnNotice
from channels.told.telling import take
from channels.webhooks.spread import spread
from orgs.actions.deputies import name_deputy, take_back
from orgs.clock import database_now
from orgs.models import Member, Unit, User
from orgs.moments import written
from orgs.reach import Role
from schedules.actions import begin_edit, cancel, change, delete, pause, refuse, register
from schedules.dispatch.expire import expire
from schedules.dispatch.remind import remind
from schedules.dispatch.stand_in import ask_deputies
from schedules.models import Approval
from tests.pages import queries_of
from tests.schedules.api.calling import caller
from tests.schedules.approving import agency_of, approved

pytestmark = pytest.mark.django_db

PAGE = "/admin/my-notices/"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def agency(world):
    return agency_of(world)


def asked() -> set[str]:
    """Who has a question."""
    rows = OwnNotice.objects.filter(kind="approval.asked", approval_id__isnull=False)
    return set(rows.values_list("user__username", flat=True))


def names(*people: User) -> set[str]:
    return {person.username for person in people}


def wants(person: User, **values):
    User.objects.filter(pk=person.pk).update(email="p@example.com")
    person.refresh_from_db()
    facts = {"bell": "everything", "outside": "everything", "rhythm": "at_once", "place": "mail"}
    return choose(facts | values, by=person)


@pytest.fixture
def by_mail(settings):
    settings.TEIJI_ALERT_URLS = ["mailtos://teiji:pw@smtp.example.com?from=teiji@example.com"]


# Who is asked.


def test_the_approvers_of_the_unit_are_asked_and_nobody_else(world, agency, make_schedule):
    world.person(world.taipei, Role.OPERATOR)
    world.person(world.south, Role.APPROVER)
    register(make_schedule(), by=agency.clerk)
    assert asked() == names(agency.chief, world.people["taipei"])


def test_nobody_is_asked_about_their_own(world, agency, make_schedule):
    Member.objects.filter(user=agency.clerk).update(unit=world.taipei)
    row = register(make_schedule(), by=agency.clerk)
    Member.objects.filter(user=agency.clerk).update(role=Role.APPROVER)
    Approval.objects.update(asked_by=world.people["taipei"])
    OwnNotice.objects.all().delete()
    remind(row.next_due_at - MINUTE)
    assert asked() & names(agency.clerk, world.people["taipei"]) == set()


def test_a_deputy_is_asked_while_they_stand_in(world, agency, make_schedule):
    deputy = world.person(world.taipei, Role.OPERATOR)
    today = database_now().date()
    name_deputy(deputy.member, of=world.taipei, first=today, last=today + DAY, by=agency.chief)
    row = register(make_schedule(), by=agency.clerk)
    assert asked() == names(agency.chief, world.people["taipei"], deputy)
    api = caller(User.objects.get(pk=deputy.pk))
    assert [told["schedule"] for told in api.get("/notices").json()["results"]] == [row.pk]
    Member.objects.get(user=deputy).deputyships.all().delete()
    assert caller(User.objects.get(pk=deputy.pk)).get("/notices").json()["results"] == []


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_deputy_named_while_it_waits_is_asked_from_their_first_day_on(
    world, agency, make_schedule, comes_back
):
    row = register(make_schedule(due_in=9 * 86_400), by=agency.clerk)
    mark_read(agency.chief, until=OwnNotice.objects.latest("pk").pk)
    deputy = world.person(world.taipei, Role.OPERATOR)
    now = database_now()
    first = now.date() + 2 * DAY
    name_deputy(deputy.member, of=world.taipei, first=first, last=first + 2 * DAY, by=agency.chief)
    assert ask_deputies(now) == 0
    later = now + 3 * DAY
    if comes_back:
        take_back(deputy.member.deputyships.get(), by=agency.chief)
    assert ask_deputies(later) == (0 if comes_back else 1)
    assert (deputy.username in asked()) is not comes_back
    assert OwnNotice.objects.get(user=agency.chief).read_at is not None
    assert ask_deputies(later) == 0
    assert set(OwnNotice.objects.values_list("schedule_id", flat=True)) == {row.pk}


def test_a_deputy_is_not_asked_about_their_own_nor_about_what_is_answered(
    world, agency, make_schedule
):
    clerk = world.person(world.taipei, Role.OPERATOR)
    row = register(make_schedule(), by=agency.clerk)
    Approval.objects.update(asked_by=clerk)
    today = database_now().date()
    name_deputy(clerk.member, of=world.taipei, first=today, last=today + DAY, by=agency.chief)
    assert ask_deputies(database_now() + DAY) == 0
    Approval.objects.update(asked_by=agency.clerk)
    approved(row, agency.chief)
    assert ask_deputies(database_now() + DAY) == 0
    assert asked() == set()


def test_where_a_unit_has_no_approver_the_nearest_above_is_asked(world, agency, make_schedule):
    User.objects.filter(pk__in=[agency.chief.pk, world.people["taipei"].pk]).update(is_active=False)
    register(make_schedule(), by=agency.clerk)
    assert asked() == names(world.people["north"])


def test_of_an_inactive_unit_nobody_is_asked(world, agency, make_schedule):
    row = register(make_schedule(), by=agency.clerk)
    OwnNotice.objects.all().delete()
    Unit.objects.filter(pk=world.north.pk).update(is_active=False)
    remind(row.next_due_at - MINUTE)
    assert asked() == names(world.people["hq"])


def test_it_climbs_with_the_approval_and_disturbs_nobody_again(world, agency, make_schedule):
    row = register(make_schedule(due_in=3 * 86_400), by=agency.clerk)
    mark_read(agency.chief, until=OwnNotice.objects.latest("pk").pk)
    remind(row.next_due_at - DAY)
    assert asked() == names(agency.chief, world.people["taipei"])
    remind(row.next_due_at - HOUR)
    assert asked() == names(agency.chief, world.people["taipei"], world.people["north"])
    remind(row.next_due_at - MINUTE)
    assert world.people["hq"].username in asked()
    assert OwnNotice.objects.get(user=agency.chief).read_at is not None


def test_the_questions_to_the_database_do_not_grow_with_the_approvers(world, agency, make_schedule):
    def queries() -> int:
        row = make_schedule()
        with CaptureQueriesContext(connection) as captured:
            register(row, by=agency.clerk)
        return len(captured)

    queries()
    few = queries()
    for number in range(9):
        user = User.objects.create(username=f"approver-{number}", is_staff=True)
        Member.objects.create(user=user, unit=world.taipei, role=Role.APPROVER)
    assert queries() == few
    assert OwnNotice.objects.count() == 2 + 2 + 11


# As long as it waits.


@pytest.mark.parametrize("end", [pause, cancel, delete])
def test_what_is_taken_back_is_no_question(agency, make_schedule, end):
    row = register(make_schedule(), by=agency.clerk)
    end(row, by=agency.clerk)
    assert not OwnNotice.objects.exists()


def test_an_answer_of_one_takes_it_from_all(agency, make_schedule):
    approved(register(make_schedule(), by=agency.clerk), agency.chief)
    assert asked() == set()
    row = register(make_schedule(text="Another"), by=agency.clerk)
    refuse(row, by=agency.chief, note="No.")
    assert asked() == set()


def test_its_time_passes_and_with_it_the_question(agency, make_schedule):
    row = register(make_schedule(), by=agency.clerk)
    expire(row.next_due_at)
    assert asked() == set()


def test_of_a_recurring_one_the_question_is_about_the_next_time(agency, make_schedule):
    row = register(make_schedule(timing_kind="daily", date=None), by=agency.clerk)
    due = row.next_due_at
    expire(due)
    assert {notice.due_at for notice in OwnNotice.objects.all()} == {due + DAY}


def test_what_is_changed_meanwhile_is_asked_anew_in_the_same_place(agency, make_schedule):
    row = register(make_schedule(), by=agency.clerk)
    mark_read(agency.chief, until=OwnNotice.objects.latest("pk").pk)
    copy = begin_edit(row, by=agency.clerk)
    copy.title = "Evening notice"
    copy.save()
    change(copy, by=agency.clerk)
    notice = OwnNotice.objects.get(user=agency.chief)
    assert (notice.title, notice.read_at) == ("Evening notice", None)


# How they are told.


def test_the_bell_counts_it_and_leads_to_where_it_is_answered(client, agency, make_schedule):
    register(make_schedule(), by=agency.clerk)
    client.force_login(agency.chief)
    page = client.get(PAGE).text
    assert "My notices: 1 new" in page and "waits for your approval" in page
    notice = OwnNotice.objects.get(user=agency.chief)
    answer = client.post(f"{PAGE}{notice.pk}/open/")
    review = f"/admin/schedules/approval/{Approval.objects.get().pk}/"
    assert answer.headers["Location"] == review
    assert client.get(review).status_code == 200


def test_who_may_not_answer_any_more_sees_no_question(client, agency, make_schedule):
    register(make_schedule(), by=agency.clerk)
    Member.objects.filter(user=agency.chief).update(role=Role.OPERATOR)
    client.force_login(User.objects.get(pk=agency.chief.pk))
    page = client.get(PAGE).text
    assert "Morning notice" not in page and "1 new" not in page
    notice = OwnNotice.objects.get(user=agency.chief)
    assert client.post(f"{PAGE}{notice.pk}/open/").status_code == 404


def test_one_and_thirty_questions_take_as_many_queries(client, agency, make_schedule):
    client.force_login(agency.chief)
    register(make_schedule(), by=agency.clerk)
    client.get(PAGE)
    few = queries_of(client, PAGE)
    approval = Approval.objects.get()
    OwnNotice.objects.bulk_create(
        OwnNotice(
            user=agency.chief, approval_id=number, schedule_id=number, kind="approval.asked",
            title="More", unit_path=approval.unit.path, at=approval.asked_at,
        )
        for number in range(1_000_000, 1_000_029)
    )  # fmt: skip
    assert queries_of(client, PAGE) == few


def test_outside_the_message_has_the_address_of_the_page(agency, by_mail, make_schedule, settings):
    wants(agency.chief)
    row = register(make_schedule(), by=agency.clerk)
    [call] = take(database_now())
    assert call.title == "Teiji: Morning notice · waits for your approval"
    address = f"/admin/schedules/approval/{Approval.objects.get().pk}/"
    assert settings.TEIJI_PUBLIC_URL + address in call.body
    assert written(row.next_due_at, "Asia/Taipei") in call.body


def test_several_are_one_message(agency, by_mail, make_schedule):
    wants(agency.chief, outside="failures")
    for title in ("One", "Two"):
        register(make_schedule(title=title, text=title), by=agency.clerk)
    [call] = take(database_now())
    assert call.title == "Teiji: 2 approvals wait for you"


def test_who_chose_nothing_is_told_nothing(client, agency, by_mail, make_schedule):
    wants(agency.chief, bell="nothing", outside="nothing")
    register(make_schedule(), by=agency.clerk)
    assert take(database_now()) == []
    assert OwnNotice.objects.get(user=agency.chief).read_at is not None


def test_what_was_answered_before_the_digest_is_not_in_it(world, agency, by_mail, make_schedule):
    wants(agency.chief, rhythm="daily")
    row = register(make_schedule(), by=agency.clerk)
    approved(row, world.people["taipei"])
    assert take(database_now() + 2 * DAY) == []


# What they said.


def test_who_asked_is_told_of_a_yes_with_its_note(client, agency, make_schedule):
    row = register(make_schedule(), by=agency.clerk)
    due_at = row.next_due_at
    client.force_login(agency.chief)
    asked_for = Approval.objects.get()
    page = client.get(f"/admin/schedules/approval/{asked_for.pk}/")
    values = {"seen": page.context["seen"], "note": "Well done."}
    client.post(f"/admin/schedules/approval/{asked_for.pk}/approve/", values)
    spread(database_now())
    notice = OwnNotice.objects.get()
    assert (notice.user, notice.kind, notice.note) == (
        agency.clerk, "approval.approved", "Well done."
    )  # fmt: skip
    assert notice.due_at == due_at
    client.force_login(agency.clerk)
    page = client.get(PAGE).text
    assert "approved" in page and "“Well done.”" in page
    opened = client.post(f"{PAGE}{notice.pk}/open/")
    assert opened.headers["Location"] == f"/admin/schedules/schedule/{row.pk}/change/"
    [told] = caller(agency.clerk).get("/notices").json()["results"]
    assert (told["event"], told["schedule"], told["note"]) == (
        "approval.approved", row.pk, "Well done."
    )  # fmt: skip


def test_a_yes_is_no_failure(agency, by_mail, make_schedule):
    wants(agency.clerk, outside="failures")
    approved(register(make_schedule(), by=agency.clerk), agency.chief)
    spread(database_now())
    assert take(database_now()) == []


def test_a_refusal_is_told_with_its_note(agency, by_mail, make_schedule):
    wants(agency.clerk, outside="failures")
    refuse(register(make_schedule(), by=agency.clerk), by=agency.chief, note="Which price?")
    spread(database_now())
    [call] = take(database_now())
    assert "refused: “Which price?”" in call.body
