"""A template's defaults on its page, and in the registration form that they fill in."""

import re

import pytest

from logs.models import History
from orgs.reach import Role
from schedules.actions.template import save_template
from schedules.models import MessageTemplate, Schedule
from tests.schedules.test_template_pages import BLOCKS, LIST, body, desk, form, start
from tests.schedules.wizard.conftest import address, open_step

__all__ = ["desk"]  # a fixture

pytestmark = pytest.mark.django_db

FRIDAYS = {"timing_kind": "weekly", "weekdays": [0, 4], "time": "09:00"}


@pytest.fixture
def template(world):
    values = {"unit": world.hq, "name": "Notice", "blocks": BLOCKS, "zone": "Asia/Seoul"}
    return save_template(MessageTemplate(), values | FRIDAYS, by=world.people["hq"])


def shown(desk, path):
    return " ".join(body(desk.get(path)).split())


def test_defaults_are_kept_as_they_were_chosen(desk, world):
    chosen = FRIDAYS | {"priority": 90, "on_quiet": "skip", "holiday_country": "TW"}
    assert desk.post(f"{LIST}add/", form(world.xinyi, **chosen)).status_code == 302
    made = MessageTemplate.objects.get()
    assert made.prefills == chosen | {"time": made.time}
    assert (made.time.isoformat(), made.max_retries) == ("09:00:00", None)
    words = "Every Monday and Friday at 09:00 (Asia/Taipei), not on public holidays in Taiwan, "
    assert words + "priority 90" in shown(desk, f"{LIST}{made.pk}/change/")


def test_a_template_without_defaults_says_so(desk, world):
    desk.post(f"{LIST}add/", form(world.xinyi))
    made = MessageTemplate.objects.get()
    assert made.prefills == {}
    assert "Nothing: whoever uses it says" in shown(desk, f"{LIST}{made.pk}/change/")
    assert "Filled in when you use it" not in shown(desk, f"{LIST}{made.pk}/use/")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"timing_kind": "daily"}, "time"),
        ({"timing_kind": "weekly", "time": "09:00"}, "weekdays"),
        ({"timing_kind": "daily", "time": "noon"}, "time"),
        ({"priority": 101}, "priority"),
        ({"max_retries": 11}, "max_retries"),
    ],
)
def test_half_a_default_is_said_at_its_field(desk, world, values, field):
    answer = desk.post(f"{LIST}add/", form(world.xinyi, **values))
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == {field}
    assert not MessageTemplate.objects.exists()


def test_a_change_is_kept_in_the_history_with_what_was_there(desk, world, clerk):
    desk.post(f"{LIST}add/", form(world.xinyi, **FRIDAYS))
    made = MessageTemplate.objects.get()
    block = made.blocks.get()
    facts = {"blocks-INITIAL_FORMS": 1, "blocks-0-id": block.pk, "blocks-0-template": made.pk}
    daily = {"timing_kind": "daily", "weekdays": [], "time": "10:00", "priority": 20}
    posted = form(world.xinyi, **facts, **daily)
    assert desk.post(f"{LIST}{made.pk}/change/", posted).status_code == 302
    entry = History.objects.get(kind="messagetemplate", verb="updated")
    assert entry.changes["timing_kind"] == ["weekly", "daily"]
    assert entry.changes["time"] == ["09:00:00", "10:00:00"]
    assert entry.changes["priority"] == [None, 20]
    assert entry.changes["weekdays"] == [[0, 4], []]


def test_who_may_not_change_it_reads_it_in_one_sentence(desk, template):
    page = shown(desk, f"{LIST}{template.pk}/change/")
    assert "Every Monday and Friday at 09:00 (Asia/Seoul)" in page
    assert 'name="timing_kind"' not in page


def test_the_page_to_use_it_says_what_it_fills_in_and_what_it_cannot(desk, world, template):
    page = shown(desk, f"{LIST}{template.pk}/use/")
    assert "Every Monday and Friday at 09:00 (Asia/Seoul)" in page
    assert "The template’s times are those of Asia/Seoul" in page
    once = {"timing_kind": "once", "date": "2020-01-02", "zone": ""}
    row = MessageTemplate.objects.filter(pk=template.pk)
    row.update(weekdays=[], **once)
    page = shown(desk, f"{LIST}{template.pk}/use/")
    assert "The template’s date, 2020-01-02, has passed: choose another." in page
    answer = start(desk, template)
    assert "has passed: choose another." in shown(desk, answer["Location"])
    draft = Schedule.objects.get()
    assert (draft.timing_kind, draft.date) == ("once", None)


def test_the_third_step_shows_it_and_what_is_chosen_there_counts(desk, world, template):
    save_template(template, {"priority": 90}, by=world.people["hq"])
    start(desk, template)
    draft = Schedule.objects.get()
    page = shown(desk, address(draft, "timing"))
    assert "The template “Notice” filled this in." in page
    assert re.search(r'name="timing_kind" value="weekly" checked', page)
    marks = open_step(desk, draft, "timing")
    stored = {
        "timing_kind": "daily", "zone": "Asia/Taipei", "time": "11:00", "priority": 10,
        "short_month": "last_day", "on_quiet": "move", "max_retries": 4,
    }  # fmt: skip
    desk.post(address(draft, "timing"), marks | stored)
    draft.refresh_from_db()
    assert (draft.timing_kind, draft.time.hour, draft.priority) == ("daily", 11, 10)
    template.refresh_from_db()
    assert (template.timing_kind, template.priority) == ("weekly", 90)


def test_a_viewer_of_its_unit_reads_the_defaults(client, world, template):
    client.force_login(world.person(world.hq, Role.VIEWER))
    assert "Every Monday and Friday" in shown(client, f"{LIST}{template.pk}/change/")
