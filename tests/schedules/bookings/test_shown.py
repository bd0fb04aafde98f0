"""Cost and quota as pages and the API show them: what is within reach, and no other's figures."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.urls import reverse

from channels.models import Account, QuotaReading, Room
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Role
from schedules.actions import register
from schedules.shown.audience import audience_of
from schedules.shown.cost import cost_of

pytestmark = pytest.mark.django_db


def lines(schedule, person):
    audience = audience_of(schedule, by=person)
    return cost_of(schedule, by=person, now=database_now(), audience=audience)


def page(client, person, name, *args) -> str:
    client.force_login(person)
    return client.get(reverse(name, args=args)).content.decode()


def test_a_run_names_requests_people_what_is_left_and_what_packing_saves(
    world, reading, make_room, make_schedule, make_images
):
    reading(1000, 151, at=database_now())
    schedule = make_schedule(rooms=[make_room(37)], images=make_images(2))
    (line,) = lines(schedule, world.people["hq"])
    assert (line.name, line.cost.requests, line.cost.people, line.billed) == (
        "LINE · LINE", 1, 37, 37,
    )  # fmt: skip
    assert (line.cost.saved, line.left, line.after, line.short) == (74, 849, 812, 0)


def test_a_channel_that_bills_nothing_has_no_line(world, make_schedule):
    assert lines(make_schedule(), world.people["hq"]) == []


def test_a_group_that_nobody_counted_is_said_to_be_an_estimate(
    world, billing, make_room, make_schedule
):
    (line,) = lines(make_schedule(rooms=[make_room()]), world.people["hq"])
    assert line.cost.is_estimate and line.left is None
    person = make_room()
    type(person).objects.filter(pk=person.pk).update(address="U" + "0" * 32)
    (line,) = lines(make_schedule(rooms=[person]), world.people["hq"])
    assert not line.cost.is_estimate and line.billed == 1


def test_what_is_left_of_a_shared_account_is_told_to_who_sends_with_it_but_not_its_name(
    world, reading, make_room, make_schedule
):
    reading(1000, 100, at=database_now())
    (line,) = lines(make_schedule(rooms=[make_room(10)]), world.people["xinyi"])
    assert (line.name, line.left) == ("LINE", 900)


def test_what_is_left_of_anothers_account_is_not_told(
    world, billing, reading, make_room, make_schedule
):
    reading(1000, 100, at=database_now())
    Account.objects.filter(pk=billing.pk).update(is_shared=False)
    (line,) = lines(make_schedule(rooms=[make_room(10)]), world.people["xinyi"])
    assert (line.billed, line.left) == (10, None)


def test_a_room_out_of_reach_costs_nothing_that_is_told(world, reading, make_room, make_schedule):
    reading(1000, at=database_now())
    rooms = [make_room(10), make_room(5000, world.tainan)]
    (line,) = lines(make_schedule(rooms=rooms), world.people["xinyi"])
    assert line.billed == 10


def test_a_budget_above_ones_unit_shows_no_figures(world, billing, make_room, make_schedule):
    Unit.objects.filter(pk=world.north.pk).update(monthly_budget=9)
    schedule = make_schedule(rooms=[make_room(10)])
    line, budget = lines(schedule, world.people["xinyi"])
    assert (budget.name, budget.is_hidden, line.cost is not None) == ("", True, True)
    _line, own = lines(schedule, world.people["north"])
    assert (own.name, own.left, own.short) == ("North", 9, 1)
    Unit.objects.filter(pk=world.north.pk).update(monthly_budget=10)
    assert len(lines(schedule, world.people["xinyi"])) == 1


def test_the_review_says_what_it_costs_and_that_it_does_not_fit(
    world, reading, make_room, make_schedule, client
):
    reading(1000, 0, at=database_now())
    draft = make_schedule(rooms=[make_room(1200)])
    shown = page(client, world.people["xinyi"], "wizard-step", draft.pk, "review")
    assert "<b>1,200 billed messages</b>" in shown
    assert "it needs 1,200, 1,000 are left this month, 200 short" in shown


LAST_NIGHT = {
    "timing_kind": "once",
    "date": date(2027, 3, 31),
    "time": time(23, 30),
    "zone": "Asia/Tokyo",
}


def test_what_quiet_hours_move_is_weighed_against_the_month_in_which_it_leaves(
    world, reading, make_room, make_schedule
):
    now = datetime(2027, 3, 31, 12, tzinfo=UTC)
    Unit.objects.filter(pk=world.xinyi.pk).update(
        quiet_from=time(22), quiet_until=time(8), monthly_budget=50
    )
    reading(1000, 1000, at=now)
    schedule = make_schedule(rooms=[make_room(37)], **LAST_NIGHT)
    account, budget = cost_of(schedule, by=world.people["hq"], now=now, audience=None)
    assert (account.left, account.billed, account.short) == (1000, 37, 0)
    assert (budget.left, budget.after) == (50, 13)
    assert account.later_month == budget.later_month == date(2027, 4, 1)
    assert (account.runs, account.of_month) == (1, 37)


def test_a_run_that_leaves_in_two_months_has_a_line_for_each(
    world, reading, make_room, make_schedule
):
    now = datetime(2027, 3, 31, 12, tzinfo=UTC)
    quiet, other = make_room(37), make_room(5)
    Room.objects.filter(pk=quiet.pk).update(quiet_from=time(22), quiet_until=time(8))
    reading(1000, 998, at=now)
    schedule = make_schedule(rooms=[quiet, other], **LAST_NIGHT)
    march, april = cost_of(schedule, by=world.people["hq"], now=now, audience=None)
    assert (march.billed, march.left, march.short, march.later_month) == (5, 2, 3, None)
    assert (april.billed, april.left, april.later_month) == (37, 1000, date(2027, 4, 1))
    assert april.cost.people == 37


def test_the_page_of_a_schedule_says_what_a_month_of_it_costs(
    world, reading, make_room, make_schedule, client
):
    reading(10**6, at=database_now())
    grid = {"timing_kind": "interval", "every_minutes": 1, "date": None, "time": None}
    schedule = register(make_schedule(rooms=[make_room(2)], **grid), by=world.people["hq"])
    shown = page(client, world.people["xinyi"], "admin:schedules_schedule_change", schedule.pk)
    assert 'id="cost"' in shown and "left afterwards" in shown


def test_the_runs_of_a_month_are_as_many_as_the_room_bears(
    world, reading, make_room, make_schedule
):
    now = datetime(2027, 3, 30, 4, tzinfo=UTC)  # noon in Taipei; the month of LINE has 36 hours
    reading(1000, at=now)
    grid = {"timing_kind": "interval", "every_minutes": 1, "date": None, "time": None}
    room = make_room(1)
    schedule = make_schedule(rooms=[room], **grid)
    (line,) = cost_of(schedule, by=world.people["hq"], now=now, audience=None)
    assert (line.runs, line.of_month, line.runs_are_least) == (100, 100, False)
    Room.objects.filter(pk=room.pk).update(daily_cap=0)
    (line,) = cost_of(schedule, by=world.people["hq"], now=now, audience=None)
    assert (line.runs, line.of_month, line.runs_are_least) == (1000, 1000, True)


def test_the_page_of_an_account_shows_its_month(world, reading, make_room, make_schedule, client):
    billing = reading(1000, 600, at=database_now())
    register(
        make_schedule(rooms=[make_room(500)], title="Too much", due_in=60), by=world.people["hq"]
    )
    shown = page(client, world.people["hq"], "admin:channels_account_change", billing.pk)
    assert "600 used and 0 reserved of 1,000" in shown
    assert "It runs out on" in shown and "Too much" in shown


def test_why_the_channel_could_not_be_asked_is_said_in_the_readers_language(
    world, billing, reading, client
):
    reading(1000, 600, at=database_now())
    QuotaReading.objects.update(error="Could not connect: Timeout.")
    client.cookies["django_language"] = "ko"
    shown = page(client, world.people["hq"], "admin:channels_account_change", billing.pk)
    assert "연결하지 못했습니다: Timeout." in shown and "Could not connect" not in shown


def test_of_a_stopped_account_it_is_not_said_that_all_fits(world, billing, reading, client):
    reading(1000, 600, at=database_now())
    address = "admin:channels_account_change", billing.pk
    assert "All that is scheduled fits" in page(client, world.people["hq"], *address)
    billing.stop("You have reached your monthly limit.", database_now(), spent=True)
    assert "All that is scheduled fits" not in page(client, world.people["hq"], *address)


def test_an_account_that_bills_nothing_shows_no_quota(world, client):
    shown = page(client, world.people["hq"], "admin:channels_account_change", world.sandbox.pk)
    assert 'id="quota"' not in shown


def test_the_api_lists_the_quotas_within_reach(world, billing, reading, client):
    reading(1000, 250, at=database_now())
    theirs = Account.objects.create(unit=world.tainan, name="Theirs", kind="line")
    QuotaReading.objects.create(account=theirs, limit=77, tried_at=database_now())
    client.force_login(world.person(world.south, Role.VIEWER))
    found = client.get("/api/v1/quota").json()["results"]
    assert [row["name"] for row in found] == ["Theirs"]
    client.force_login(world.people["hq"])
    mine = client.get(f"/api/v1/quota/{billing.pk}").json()
    assert (mine["limit"], mine["used"], mine["reserved"], mine["left"]) == (1000, 250, 0, 750)
    assert mine["runs_out_at"] is None and mine["evidence"] == []
    client.force_login(world.people["xinyi"])
    assert client.get("/api/v1/quota").json()["results"] == []
    assert client.get(f"/api/v1/quota/{billing.pk}").status_code == 404


def test_evidence_names_only_schedules_within_reach(
    world, reading, make_room, make_schedule, client
):
    billing = reading(1000, at=database_now())
    Account.objects.filter(pk=billing.pk).update(unit=world.xinyi)
    values = {"unit": world.hq, "title": "CANARY", "rooms": [make_room(10)], "due_in": 60}
    register(make_schedule(**values), by=world.people["hq"])
    client.force_login(world.people["xinyi"])
    found = client.get(f"/api/v1/quota/{billing.pk}")
    assert found.json()["coming"] == 10 and found.json()["evidence"] == []
    url = reverse("admin:channels_account_change", args=[billing.pk])
    assert "CANARY" not in client.get(url).content.decode()


def test_the_api_says_what_a_schedule_costs(world, reading, make_room, make_schedule, client):
    reading(1000, 990, at=database_now() - timedelta(seconds=1))
    schedule = make_schedule(rooms=[make_room(12)])
    client.force_login(world.people["xinyi"])
    (line,) = client.get(f"/api/v1/schedules/{schedule.pk}/cost").json()["results"]
    assert line == {
        "of": "account", "name": "LINE", "billed": 12, "requests": 1, "people": 12,
        "is_estimate": False, "is_least": False, "saved": 0, "runs": 1, "left": 10, "short": 2,
        "runs_are_least": False, "later_month": None,
    }  # fmt: skip


def test_the_start_page_shows_the_quotas_within_reach(world, reading, client):
    reading(1000, 250, at=database_now())
    assert "750 of 1,000 left" in page(client, world.people["hq"], "admin:index")
    assert "of 1,000 left" not in page(client, world.people["xinyi"], "admin:index")


def test_what_lasts_beyond_the_month_is_enough_and_counts_no_days(world, reading, client):
    reading(100_000, 1, at=database_now())
    said = page(client, world.people["hq"], "admin:index")
    assert "enough for this month" in said and "more days at this" not in said


def test_the_start_page_counts_the_runs_that_did_not_fit_within_reach(
    world, reading, make_room, make_schedule, client
):
    reading(10, at=database_now())
    register(make_schedule(rooms=[make_room(11)], timing_kind="now"), by=world.people["hq"])
    assert "1 run did not fit" in page(client, world.people["xinyi"], "admin:index")
    assert "did not fit" not in page(client, world.people["tainan"], "admin:index")


def test_who_runs_what_does_not_fit_is_told_so(world, reading, make_room, make_schedule, client):
    reading(10, at=database_now())
    schedule = register(make_schedule(rooms=[make_room(11)]), by=world.people["hq"])
    client.force_login(world.people["xinyi"])
    url = reverse("admin:schedules_schedule_act", args=[schedule.pk, "run"])
    shown = client.post(url, follow=True).content.decode()
    assert "Nothing is sent: it does not fit" in shown
    assert "LINE: needs 11; 10 left this month; 1 short" in shown


def test_a_reading_of_a_channel_that_is_gone_breaks_no_page(world, reading, client):
    account = reading(10, at=database_now()).account
    Account.objects.filter(pk=account.pk).update(kind="gone")
    assert "10 of 10 left" in page(client, world.people["hq"], "admin:index")
    assert client.get(f"/api/v1/quota/{account.pk}").json()["left"] == 10
