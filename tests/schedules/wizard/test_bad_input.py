"""Bad input is refused at its field and shown again as it was typed."""

from typing import Any

import pytest
from django.test import Client

from orgs.reach import Role
from schedules.models import Schedule
from tests.conftest import World
from tests.schedules.wizard.conftest import (
    CONTENT,
    TIMING,
    address,
    new_address,
    open_step,
    target,
)

pytestmark = pytest.mark.django_db

BASE: dict[str, dict[str, Any]] = {"content": CONTENT, "timing": TIMING}

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("timing", {"timing_kind": "once", "date": "2020-01-01"}, "time", "passed"),
    ("timing", {"timing_kind": "weekly", "weekdays": []}, "weekdays", "at least one weekday"),
    ("timing", {"timing_kind": "monthly", "day_of_month": ""}, "day_of_month", "missing"),
    ("timing", {"timing_kind": "interval", "every_minutes": "0"}, "every_minutes", "1 to 1440"),
    ("timing", {"timing_kind": "interval", "every_minutes": "ten"}, "every_minutes", "number"),
    ("timing", {"timing_kind": "peak", "peak_hours": []}, "peak_hours", "at least one peak hour"),
    ("timing", {"timing_kind": "cron", "cron": "61 * * * *"}, "cron", "minute"),
    ("timing", {"priority": "101"}, "priority", "between 0 and 100"),
    ("timing", {"priority": "-1"}, "priority", "between 0 and 100"),
    ("timing", {"max_retries": "99"}, "max_retries", "At most"),
    ("timing", {"zone": "Mars/Olympus"}, "zone", "valid choice"),
    ("timing", {"skip_dates": ["soon"]}, "skip_dates", "not a date"),
    ("timing", {"valid_from": "9999-12-31T23:59"}, "valid_from", "1970 to 9998"),
    (
        "timing",
        {"valid_from": "2030-01-02T00:00", "valid_until": "2030-01-01T00:00"},
        "valid_until",
        "ends before it begins",
    ),
    ("content", {"text": "x" * 5001}, "text", "at most 5000 characters"),
    ("content", {"text": "", "order": "text_only"}, "text", "needs a text"),
    ("content", {"order": "sideways"}, "order", "valid choice"),
    ("content", {"interval_seconds": "9999"}, "interval_seconds", "At most 3600"),
    ("content", {"interval_seconds": "x"}, "interval_seconds", "number"),
]


def problems_at(page: str, field: str) -> str:
    _before, _mark, rest = page.partition(f'data-problems="{field}"')
    return rest.partition("</ul>")[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[2])
def test_it_is_refused_at_its_field(desk: Client, draft: Schedule, case: tuple):
    step, typed, field, words = case
    posted = BASE[step] | typed | open_step(desk, draft, step)
    answer = desk.post(address(draft, step), posted, follow=True)
    assert words in problems_at(answer.content.decode(), field)
    assert answer.request["PATH_INFO"] == address(draft, step)


def test_what_cannot_be_stored_is_shown_as_typed_and_the_rest_is_saved(
    desk: Client, draft: Schedule
):
    posted = TIMING | {"every_minutes": "ten", "cron": "0 9 * * *"}
    answer = desk.post(address(draft, "timing"), posted | open_step(desk, draft, "timing"))
    assert b'value="ten"' in answer.content
    draft.refresh_from_db()
    assert (draft.timing_kind, draft.cron) == ("weekly", "0 9 * * *")


def test_a_validity_that_ends_before_it_starts_leaves_the_stored_one(desk: Client, draft: Schedule):
    good = TIMING | {"valid_from": "2030-01-01T00:00", "valid_until": "2030-02-01T00:00"}
    desk.post(address(draft, "timing"), good | open_step(desk, draft, "timing"))
    bad = good | {"valid_from": "2030-03-01T00:00"}
    answer = desk.post(address(draft, "timing"), bad | open_step(desk, draft, "timing"))
    assert b'value="2030-03-01T00:00"' in answer.content
    draft.refresh_from_db()
    assert draft.valid_from.isoformat().startswith("2029-12-31T16:00")


def test_a_title_and_a_room_must_be_there(desk: Client, world: World):
    answer = desk.post(new_address(), target(world, title="", rooms=[]), follow=True)
    page = answer.content.decode()
    assert "Give the schedule a title." in problems_at(page, "title")
    assert "Choose at least one room." in problems_at(page, "rooms")


@pytest.mark.parametrize("forged", ["x", "9" * 30, "²", "1\x00"], ids=ascii)
@pytest.mark.parametrize("field", ["unit", "rooms"])
def test_a_choice_that_no_page_offers_is_refused_and_no_error_of_ours(
    desk: Client, world: World, field: str, forged: str
):
    answer = desk.post(new_address(), target(world, **{field: forged}), follow=True)
    assert answer.status_code == 200
    assert problems_at(answer.content.decode(), field)


@pytest.mark.parametrize("foreign", ["tainan", "missing", "garbage"])
def test_a_room_that_is_not_ones_own_is_refused_like_one_that_is_not_there(
    desk: Client, world: World, foreign: str
):
    ids = {"tainan": world.tainan_room.pk, "missing": 999_999, "garbage": "1 OR 1"}
    answer = desk.post(new_address(), target(world, rooms=[world.room.pk, ids[foreign]]))
    page = answer.content.decode()
    assert "does not belong to the schedule’s unit" in problems_at(page, "rooms")
    assert "Tainan" not in page
    assert not Schedule.objects.get().rooms.exists()


def test_a_unit_that_is_not_ones_own_is_refused(desk: Client, world: World):
    desk.post(new_address(), target(world, unit=world.tainan.pk))
    assert Schedule.objects.get().unit == world.xinyi


def test_a_room_of_another_branch_than_the_schedules_is_refused(client: Client, world: World):
    client.force_login(world.person(world.hq, Role.OPERATOR))
    both = [world.room.pk, world.tainan_room.pk]
    answer = client.post(new_address(), target(world, rooms=both))
    assert "does not belong" in problems_at(answer.content.decode(), "rooms")


def test_of_an_inactive_account_the_room_is_not_called_inactive(
    desk: Client, world: World, draft: Schedule
):
    world.sandbox.is_active = False
    world.sandbox.save()
    posted = target(world) | open_step(desk, draft, "target")
    answer = desk.post(address(draft, "target"), posted, follow=True)
    said = problems_at(answer.content.decode(), "rooms")
    assert "The Sandbox account is inactive. Ask" in said and "“Xinyi room”" not in said


def test_an_inactive_room_that_was_chosen_is_named(desk: Client, world: World, draft: Schedule):
    world.room.is_active = False
    world.room.save()
    posted = target(world) | open_step(desk, draft, "target")
    answer = desk.post(address(draft, "target"), posted, follow=True)
    assert "“Xinyi room” is inactive" in problems_at(answer.content.decode(), "rooms")
