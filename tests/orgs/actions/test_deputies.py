"""Who stands in for approvers, when, and for whom not."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from logs.models import History
from orgs.actions.deputies import name_deputy, take_back
from orgs.models import Deputy, Member, Unit, User
from orgs.reach import Act, Role, can_anywhere, can_in, within
from orgs.refusal import OutOfReach, Refused
from schedules.actions import register
from schedules.models import Approval, Schedule
from tests.conftest import World
from tests.schedules.api.calling import caller
from tests.schedules.approving import Agency, agency_of, approved

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def agency(world: World) -> Agency:
    return agency_of(world)


@pytest.fixture
def clerk(world: World) -> Member:
    """An operator of the agency, whose approver goes on holiday."""
    return world.person(world.taipei, Role.OPERATOR).member


def today(unit: Unit) -> date:
    return datetime.now(ZoneInfo(unit.zone)).date()


def name(member: Member, of: Unit, by: User, **days: Any) -> Deputy:
    first = days.get("first", today(of))
    return name_deputy(member, of=of, first=first, last=days.get("last", first + 6 * DAY), by=by)


def anew(member: Member) -> User:
    """As the next request loads them."""
    return User.objects.get(pk=member.user_id)


def test_a_deputy_answers_what_waits_there_and_the_history_says_so(
    world, agency, clerk, make_schedule
):
    row = register(make_schedule(), by=agency.clerk)
    assert not within(anew(clerk), Approval.objects.all(), Act.APPROVE)
    name(clerk, world.taipei, agency.chief)
    assert approved(row, anew(clerk)).state == "active"
    entry = History.objects.get(verb="approved")
    assert (entry.actor, entry.changes["deputy_of"]) == ("taipei-operator", "Taipei")


def test_nobody_stands_in_before_the_first_day_or_after_the_last_one(world, agency, clerk):
    deputy = name(clerk, world.taipei, agency.chief)
    zone = ZoneInfo("Asia/Taipei")
    assert deputy.begins_at == datetime.combine(today(world.taipei), datetime.min.time(), zone)
    assert deputy.ends_at - deputy.begins_at == 7 * DAY
    now = datetime.now(UTC)
    for begins_at, ends_at in ((now + DAY, now + 2 * DAY), (now - 2 * DAY, now - DAY)):
        Deputy.objects.update(begins_at=begins_at, ends_at=ends_at)
        assert not can_anywhere(anew(clerk), Act.APPROVE, Schedule)


def test_a_deputy_gains_nothing_else_and_nothing_elsewhere(world, agency, clerk):
    name(clerk, world.xinyi, agency.chief)
    deputy = anew(clerk)
    assert can_in(deputy, Act.APPROVE, Schedule, world.xinyi)
    assert not can_in(deputy, Act.APPROVE, Schedule, world.taipei)
    assert not can_anywhere(deputy, Act.ORGANISE, Deputy)  # a deputy names no deputy
    assert not can_anywhere(deputy, Act.CHANGE, Member)
    other = world.person(world.taipei, Role.VIEWER).member
    with pytest.raises(OutOfReach):
        name(other, world.xinyi, deputy)


def test_who_is_moved_elsewhere_stands_in_no_longer(world, agency, clerk):
    name(clerk, world.taipei, agency.chief)
    Member.objects.filter(pk=clerk.pk).update(unit=world.south)
    assert not can_anywhere(anew(clerk), Act.APPROVE, Schedule)


def test_nobody_approves_their_own_as_a_deputy_either(world, agency, clerk, make_schedule):
    name(clerk, world.taipei, agency.chief)
    row = register(make_schedule(), by=anew(clerk))
    assert row.state == "waiting"
    with pytest.raises(Refused, match="Nobody approves"):
        approved(row, anew(clerk))


def test_who_cannot_stand_in_is_told_why(world, agency, clerk):
    anyway = world.person(world.taipei, Role.MANAGER).member
    for member in (agency.clerk.member, anyway, world.people["tainan"].member):
        with pytest.raises(Refused) as refused:
            name(member, world.taipei, agency.chief)
        assert list(refused.value.problems) == ["member"]
    assert not Deputy.objects.exists()


@pytest.mark.parametrize(("first", "last"), [(0, -1), (-9, -2), (0, 92), (0, 5)])
def test_days_that_are_none_or_named_twice_are_refused(world, agency, clerk, first, last):
    if last == 5:
        name(clerk, world.taipei, agency.chief, first=today(world.taipei) + 5 * DAY)
    day = today(world.taipei)
    with pytest.raises(Refused) as refused:
        name(clerk, world.taipei, agency.chief, first=day + first * DAY, last=day + last * DAY)
    assert list(refused.value.problems) == ["member" if last == 5 else "last_day"]


def test_a_deputy_is_taken_back_at_once_by_those_who_may(world, agency, clerk):
    deputy = name(clerk, world.taipei, agency.chief)
    with pytest.raises(OutOfReach):
        take_back(deputy, by=world.people["south"])
    take_back(deputy, by=world.people["north"])
    assert not can_anywhere(anew(clerk), Act.APPROVE, Schedule)
    verbs = History.objects.filter(kind="deputy").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["created", "deleted"]


def test_an_approver_names_one_in_the_back_office_and_the_queue_says_so(world, agency, clerk):
    chief, deputy = Client(), Client()
    chief.force_login(agency.chief)
    body = {"unit": world.taipei.pk, "member": clerk.pk, "first_day": today(world.taipei),
            "last_day": today(world.taipei) - DAY}  # fmt: skip
    page = "/admin/orgs/deputy/add/"
    assert "last day comes before" in chief.post(page, body).content.decode()
    body["last_day"] = today(world.taipei) + DAY
    said = chief.post(page, body, follow=True).content.decode()
    assert "taipei-operator" in said and Deputy.objects.get().named_by == agency.chief
    deputy.force_login(anew(clerk))
    queue = deputy.get("/admin/schedules/approval/").content.decode()
    assert "You stand in for the approvers of: Taipei." in queue
    assert deputy.post(page, body).status_code == 403


def test_by_the_api_one_is_named_and_taken_back(world, agency, clerk):
    call = caller(agency.chief, "read", "organisation")
    body = {"unit": world.taipei.pk, "member": clerk.pk,
            "first_day": today(world.taipei).isoformat(),
            "last_day": today(world.taipei).isoformat()}  # fmt: skip
    made = call.post("/deputies", body)
    assert made.status_code == 201 and made.json()["last_day"] == body["last_day"]
    assert caller(agency.chief, "write").post("/deputies", body).status_code == 403
    path = f"/deputies/{made.json()['id']}"
    assert caller(world.people["south"], "organisation").get(path).status_code == 404
    assert call("delete", path).status_code == 204
    assert call.get("/deputies").json()["results"] == []
