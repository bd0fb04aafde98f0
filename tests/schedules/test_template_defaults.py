"""What a template says of when and how its schedules go: whole or not at all, and never binding."""

from datetime import date, time
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from logs.models import History
from schedules import actions
from schedules.actions import Refused
from schedules.actions.template import apply_template, save_template
from schedules.models import MessageTemplate, Schedule
from schedules.shown.prefills import prefills_in_words

pytestmark = pytest.mark.django_db

NINE = time(9)
FRIDAYS = {"timing_kind": "weekly", "weekdays": [0, 4], "time": NINE}


@pytest.fixture
def keep(world):
    """A template of headquarters that fills this in."""

    def make(**values) -> MessageTemplate:
        blocks = [{"text": "Hello {room}", "is_locked": False}]
        facts = {"unit": world.hq, "name": "Notice", "blocks": blocks}
        return save_template(MessageTemplate(), facts | values, by=world.people["hq"])

    return make


@pytest.fixture
def use(world):
    """What xinyi's manager gets from a template, with what they say themselves."""

    def make(template, **given):
        done = apply_template(
            template, by=world.people["xinyi"], unit=world.xinyi, uid=uuid4(), given=given
        )
        return Schedule.objects.get(pk=done.draft.pk), done.notes

    return make


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"timing_kind": "daily"}, "time"),
        ({"timing_kind": "once", "date": date(2999, 1, 1)}, "time"),
        ({"timing_kind": "weekly", "time": NINE}, "weekdays"),
        ({"timing_kind": "weekly", "time": NINE, "weekdays": [7]}, "weekdays"),
        ({"timing_kind": "monthly", "time": NINE}, "day_of_month"),
        ({"timing_kind": "interval"}, "every_minutes"),
        ({"timing_kind": "peak", "every_minutes": 30, "peak_minutes": 15}, "peak_hours"),
        ({"timing_kind": "cron", "cron": "never"}, "cron"),
        ({"timing_kind": "sometimes"}, "timing_kind"),
        ({"timing_kind": "daily", "time": NINE, "zone": "Asia/Nowhere"}, "zone"),
        ({"holiday_country": "XX"}, "holiday_country"),
        ({"time": NINE}, "timing_kind"),
        ({"weekdays": [1]}, "timing_kind"),
    ],
)
def test_half_a_default_is_refused_and_its_field_named(keep, values, field):
    with pytest.raises(Refused) as refused:
        keep(**values)
    assert set(refused.value.problems) == {field}
    assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"timing_kind": "daily"},
        {"timing_kind": "weekly", "time": NINE},
        {"timing_kind": "monthly", "time": NINE, "day_of_month": 33},
        {"timing_kind": "interval", "every_minutes": 0},
        {"timing_kind": "peak", "every_minutes": 30, "peak_minutes": 15},
        {"timing_kind": "cron"},
        {"timing_kind": "sometimes"},
        {"time": NINE},
        {"zone": "Asia/Seoul"},
        {"weekdays": [1]},
        {"priority": 101},
        {"on_quiet": "loud"},
    ],
)
def test_the_table_holds_no_half_default_either(keep, values):
    template = MessageTemplate.objects.filter(pk=keep().pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        template.update(**values)


WHOLE = [
    ({"timing_kind": "now"}, "At once"),
    (
        {"timing_kind": "once", "date": date(2999, 1, 2), "time": NINE},
        "On 2999-01-02 at 09:00 (Asia/Taipei)",
    ),
    (
        {"timing_kind": "once", "time": time(9, 0, 30)},
        "Once at 09:00:30 (Asia/Taipei), on a day that you choose",
    ),
    ({"timing_kind": "daily", "time": NINE}, "Every day at 09:00 (Asia/Taipei)"),
    (
        FRIDAYS | {"zone": "Asia/Seoul", "priority": 90},
        "Every Monday and Friday at 09:00 (Asia/Seoul), priority 90",
    ),
    (
        {"timing_kind": "monthly", "time": NINE, "day_of_month": 31, "short_month": "skip"},
        "On day 31 of each month that has it at 09:00 (Asia/Taipei)",
    ),
    ({"timing_kind": "interval", "every_minutes": 30}, "Every 30 minutes, on the clock"),
    (
        {"timing_kind": "peak", "every_minutes": 30, "peak_minutes": 15, "peak_hours": [8, 9]},
        "Every 15 minutes from 8 to 9 o'clock, otherwise every 30 minutes (Asia/Taipei)",
    ),
    ({"timing_kind": "cron", "cron": "0 9 * * 1"},
     "By the cron expression 0 9 * * 1 (Asia/Taipei)"),
    ({"holiday_country": "TW"}, "Not on public holidays in Taiwan"),
    ({"max_retries": 0, "on_quiet": "skip"}, "At most 0 retries, in quiet hours: leave it out"),
    ({}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("values", "words"), WHOLE)
def test_a_draft_starts_with_what_the_template_says_and_the_page_says_it(keep, use, values, words):
    template = keep(**values)
    assert prefills_in_words(template, "Asia/Taipei") == words
    draft, _notes = use(template)
    assert {name: getattr(draft, name) for name in values} == values
    assert draft.terms["fills_in"] == sorted(values)


def test_of_what_it_says_nothing_a_draft_has_what_every_schedule_has(keep, use):
    draft, notes = use(keep())
    blank = Schedule()
    names = ("timing_kind", "time", "weekdays", "priority", "max_retries", "on_quiet")
    assert [getattr(draft, name) for name in names] == [getattr(blank, name) for name in names]
    assert (draft.zone, notes) == ("Asia/Taipei", [])


def test_without_a_zone_of_its_own_the_times_are_those_of_the_unit(keep, use):
    draft, notes = use(keep(**FRIDAYS))
    assert (draft.zone, draft.time, notes) == ("Asia/Taipei", NINE, [])


def test_another_zone_than_the_units_is_told(keep, use):
    draft, notes = use(keep(**FRIDAYS, zone="Asia/Seoul"))
    assert draft.zone == "Asia/Seoul"
    assert notes == [
        "The template’s times are those of Asia/Seoul; the clock of “Xinyi” is that of Asia/Taipei."
    ]
    assert use(keep(**FRIDAYS, zone="Asia/Taipei", name="Same"))[1] == []


def test_a_day_that_has_passed_is_left_out_and_told_and_nothing_else(keep, use):
    passed = {"timing_kind": "once", "date": date(2020, 1, 2), "time": NINE, "priority": 90}
    draft, notes = use(keep(**passed))
    assert (draft.timing_kind, draft.date, draft.time) == ("once", None, NINE)
    assert (draft.priority, draft.text) == (90, "Hello {room}")
    assert notes == ["The template’s date, 2020-01-02, has passed: choose another."]


def test_what_is_given_counts_before_what_the_template_says(keep, use):
    template = keep(**FRIDAYS, zone="Asia/Seoul", priority=90, on_quiet="skip")
    draft, notes = use(template, time=time(10), priority=10, zone="Asia/Taipei")
    assert (draft.timing_kind, draft.weekdays, draft.time) == ("weekly", [0, 4], time(10))
    assert (draft.priority, draft.zone, draft.on_quiet) == (10, "Asia/Taipei", "skip")
    assert notes == []


def test_another_kind_takes_only_the_details_that_it_has(keep, use):
    draft, _notes = use(keep(**FRIDAYS), timing_kind="daily")
    assert (draft.timing_kind, draft.time, draft.weekdays) == ("daily", NINE, [])


def test_a_day_that_is_given_is_not_judged_as_the_templates(keep, use):
    once = keep(timing_kind="once", date=date(2020, 1, 2), time=NINE)
    draft, notes = use(once, date=date(2020, 1, 3))
    assert (draft.date, notes) == (date(2020, 1, 3), [])


def test_a_draft_that_was_prefilled_is_registered_as_it_is(world, keep, use):
    draft, _notes = use(keep(**FRIDAYS, priority=90))
    draft.rooms.set([world.room])
    done = actions.register(draft, by=world.people["xinyi"])
    assert (done.state, done.priority) == ("active", 90)


def test_a_change_of_the_template_changes_no_draft(world, keep, use):
    template = keep(**FRIDAYS)
    draft, _notes = use(template)
    save_template(template, {"timing_kind": "daily", "priority": 1}, by=world.people["hq"])
    draft.refresh_from_db()
    assert (draft.timing_kind, draft.priority) == ("weekly", 50)


def test_another_kind_forgets_the_details_of_the_one_before(world, keep):
    template = keep(**FRIDAYS, zone="Asia/Seoul")
    save_template(template, {"timing_kind": "daily"}, by=world.people["hq"])
    template.refresh_from_db()
    assert (template.weekdays, template.time, template.zone) == ([], NINE, "Asia/Seoul")
    save_template(template, {"timing_kind": ""}, by=world.people["hq"])
    template.refresh_from_db()
    assert (template.time, template.zone, template.prefills) == (None, "", {})


def test_the_history_keeps_what_was_filled_in_before_and_after(world, keep):
    template = keep(**FRIDAYS)
    values = {"time": time(10), "priority": 90, "name": "Other"}
    save_template(template, values, by=world.people["hq"])
    entry = History.objects.get(kind="messagetemplate", verb="updated")
    assert entry.changes == {
        "time": ["09:00:00", "10:00:00"], "priority": [None, 90], "fields": ["name"],
    }  # fmt: skip
