"""The hour at which to send is suggested by what channels told of who opened messages, or not."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Label, Room
from schedules.models import Delivery, Run
from schedules.shown import windows
from tests.schedules.api.calling import Caller, caller

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TAIPEI = ZoneInfo("Asia/Taipei")
NUMBERS = count(1)


@pytest.fixture
def day(now: datetime) -> date:
    """Ten days ago in Taipei."""
    return windows.today("Asia/Taipei", now) - 10 * DAY


@pytest.fixture
def group(world: Any, line_account: Any) -> Room:
    return a_room(world.xinyi, line_account)


def a_room(unit: Any, account: Any) -> Room:
    number = next(NUMBERS)
    values = {"name": f"Group {number}", "address": f"C{number:032x}"}
    return Room.objects.create(unit=unit, account=account, **values)


@pytest.fixture
def opened(world: Any, line_account: Any, make_schedule: Any, group: Room, day: date) -> Any:
    """One schedule's runs to so many people, each on a day of its own at one of these hours, and
    what LINE told of them by the day after the last."""

    def make(hours: int | list[int], people: int, opened: int | None, **more: Any) -> Run:
        hours = [hours] if isinstance(hours, int) else hours
        room, audience = more.pop("room", group), more.pop("audience", None)
        told_after, trigger = more.pop("told_after", 1), more.pop("trigger", "timing")
        schedule = make_schedule(unit=world.xinyi, **more)
        facts = {"schedule": schedule, "title": "Sale", "trigger": trigger, "zone": "Asia/Taipei",
                 "unit_path": schedule.unit.path, "state": "sent",
                 "labels": {str(line_account.pk): schedule.label_name}}  # fmt: skip
        for number, hour in enumerate(hours):
            due_at = datetime.combine(day + number * DAY, time(hour), TAIPEI)
            run = Run.objects.create(**facts, due_at=due_at, planned_at=due_at)
            to: dict[str, Any] = {"room": room}
            if audience:
                to = {"audience": audience, "batch": 0, "members": [], "members_from": 0,
                      "members_to": 0}  # fmt: skip
            Delivery.objects.create(
                run=run, account=line_account, channel="line", room_name="Group", key=uuid4(),
                unit_path=run.unit_path, content_hash=f"{next(NUMBERS):064x}", state="sent",
                priority=50, due_at=due_at, next_try_at=due_at, part=1, parts=1, billed=people,
                **to,
            )  # fmt: skip
        last = day + (len(hours) - 1) * DAY
        told = {"started_on": day, "ends_on": day + 30 * DAY, "opened": opened,
                "counted_until": None if told_after is None else last + told_after * DAY,
                "unit_path": run.unit_path, "number": next(NUMBERS)}  # fmt: skip
        name = {"name": schedule.label_name, "month": day.replace(day=1)}
        Label.objects.get_or_create(account=line_account, **name, defaults=told)
        return run

    return make


@pytest.fixture
def evening_wins(opened: Any) -> None:
    for _number in range(3):
        opened(9, 100, 30)
        opened(19, 100, 60)


@pytest.fixture
def api(world: Any) -> Caller:
    return caller(world.people["xinyi"])


@pytest.fixture
def suggest(api: Caller) -> Callable[..., Any]:
    def ask(query: str = "") -> Any:
        answer = api.get(f"/suggest-time{query}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    return ask


def row(hour: int, sends: int, recipients: int, opened: int, **more: float) -> dict[str, Any]:
    share = opened / recipients
    return {"hour": hour, "sends": sends, "recipients": recipients, "opened": opened,
            "share": share, "share_at_most": share} | more  # fmt: skip


def test_the_hour_is_suggested_with_all_that_stands_behind_it(suggest, evening_wins):
    found = suggest()
    assert found["suggestion"] == row(19, 3, 300, 180)
    assert found["hours"] == [row(9, 3, 300, 90), row(19, 3, 300, 180)]
    assert found["left_out"] == {"several_hours": 0, "not_counted_yet": 0}
    assert (found["why"], "60%" in found["detail"]) == ("", True)


def test_without_evidence_it_says_so(suggest):
    found = suggest()
    assert (found["suggestion"], found["why"], found["hours"]) == (None, "nothing_counted", [])
    assert found["detail"] == "No channel has told yet how many people open messages there."


def test_of_one_hour_or_few_messages_nothing_is_concluded(suggest, opened):
    for _number in range(3):
        opened(19, 100, 60)
    assert suggest()["why"] == "too_little"
    for _number in range(2):
        opened(9, 100, 10)
    assert suggest()["why"] == "too_little"
    opened(9, 100, 10)
    assert suggest()["suggestion"]["hour"] == 19


def test_what_chance_may_make_is_no_difference(suggest, opened):
    for _number in range(3):
        opened(9, 100, 50)
        opened(19, 100, 54)
    assert (suggest()["suggestion"], suggest()["why"]) == (None, "too_close")


def test_a_label_with_runs_at_several_hours_says_nothing_of_one(suggest, opened):
    opened([9, 19, 9], 100, 90)
    found = suggest()
    assert (found["hours"], found["left_out"]["several_hours"]) == ([], 1)


@pytest.mark.parametrize("told_after", [None, 0])
def test_a_label_counts_when_the_day_after_its_last_run_was_told(suggest, opened, told_after):
    opened([19, 19], 100, 60, told_after=told_after)
    found = suggest()
    assert (found["hours"], found["left_out"]["not_counted_yet"]) == ([], 1)


def test_of_several_messages_under_one_label_the_share_lies_between(suggest, opened):
    opened([19] * 4, 100, 60)
    assert suggest()["hours"] == [row(19, 4, 400, 60, share_at_most=240 / 400)]
    for _number in range(3):
        opened(9, 100, 50)
    assert suggest()["why"] == "too_close"


def test_too_few_to_be_told_may_be_any_below(suggest, opened):
    opened(19, 50, None)
    assert suggest()["hours"] == [row(19, 1, 50, 0, share_at_most=19 / 50)]


def test_schedules_that_are_counted_together_are_one_label(suggest, opened, world, line_account):
    room = a_room(world.xinyi, line_account)
    opened(19, 100, 60, label="spring")
    opened(9, 100, 60, label="spring", room=room)
    assert suggest(f"?room={room.pk}")["left_out"]["several_hours"] == 1


def test_tests_tell_nothing(suggest, opened):
    opened(19, 100, 60, trigger="test")
    assert suggest()["why"] == "nothing_counted"


def test_it_is_narrowed_to_a_room_an_audience_or_a_unit(
    suggest, opened, world, line_account, make_audience
):
    other, audience = a_room(world.xinyi, line_account), make_audience(30)
    opened(9, 100, 30)
    opened(12, 100, 30, room=other)
    opened(15, 30, 25, audience=audience)

    def hours(query: str) -> list[int]:
        return [hour["hour"] for hour in suggest(query)["hours"]]

    assert hours("") == hours(f"?unit={world.xinyi.pk}") == [9, 12, 15]
    assert hours(f"?room={other.pk}") == [12]
    assert hours(f"?audience={audience.pk}") == [15]


@pytest.mark.parametrize("name", ["unit", "room", "audience"])
@pytest.mark.parametrize("who", ["tainan", "xinyi"])
def test_what_is_foreign_answers_as_what_is_not_there(
    world, evening_wins, make_audience, name, who
):
    """Also the unit above one's own, under which are all that one has."""
    audience = make_audience(3)
    foreign = {"unit": world.north, "room": world.room, "audience": audience}[name]
    if who == "xinyi":
        Room.objects.filter(pk=world.room.pk).update(unit=world.tainan)
        type(audience).objects.update(unit=world.tainan)
    api = caller(world.people[who])
    answers = [api.get(f"/suggest-time?{name}={pk}").json() for pk in (foreign.pk, 999_999)]
    assert answers[0] == answers[1]
    assert answers[0]["hours"] == []


def test_nobody_is_told_of_others(world, evening_wins):
    assert caller(world.people["tainan"]).get("/suggest-time").json()["hours"] == []
    assert caller(world.people["hq"]).get("/suggest-time").json()["suggestion"]["hour"] == 19
    assert caller(world.people["stranger"]).get("/suggest-time").status_code == 403


def test_thirty_labels_are_as_many_questions_as_one(api, opened):
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert api.get("/suggest-time").status_code == 200
        return len(found)

    opened(9, 100, 30)
    api.get("/rooms")  # the token's last use is noted once
    one = asked()
    for number in range(29):
        opened(number % 24, 100, 30)
    assert asked() == one


# In the registration form.


def timing(desk: Any, draft: Any) -> str:
    return desk.get(f"/admin/schedules/schedule/{draft.pk}/register/timing/").content.decode()


def test_the_form_offers_the_hour_to_choose(desk, clerk, evening_wins, make_schedule, group):
    html = timing(desk, make_schedule(rooms=[group], registered_by=clerk))
    assert "opened most from 19:00 to 20:00: by 60% of 300" in html
    assert 'data-set="time" data-value="19:00"' in html


def test_the_form_says_where_nothing_is_known(desk, clerk, make_schedule, group):
    html = timing(desk, make_schedule(rooms=[group], registered_by=clerk))
    assert "No channel has told yet" in html
    assert 'data-set="time"' not in html


def test_the_form_is_silent_where_no_channel_counts(desk, clerk, evening_wins, make_schedule):
    html = timing(desk, make_schedule(registered_by=clerk))
    assert "opened" not in html
