"""A move by the API: of one time, of those after it too, of all; first looked at, then done."""

from datetime import UTC, timedelta

import pytest

from channels.models import Room
from logs.models import History
from orgs.reach import Role
from schedules.actions import register
from schedules.models import OccurrenceChange, Schedule
from tests.schedules.api.calling import caller
from tests.schedules.approving import demand

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def api(clerk):
    return caller(clerk)


def moved(api, row, at, to, **more):
    path = f"/schedules/{row.pk}/occurrences/{said(at)}/move"
    headers = more.pop("headers", {})
    return api.post(path, {"due_at": said(to), **more}, **headers)


def said(moment):
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def test_one_moves_and_the_others_go_as_before(api, daily):
    at = daily.next_due_at
    answer = moved(api, daily, at, at + HOUR)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["schedule"], told["ended"], told["due_at"]) == (daily.pk, None, said(at + HOUR))
    assert (told["dry_run"], told["times"], told["counted"]) == (False, 366, False)
    assert OccurrenceChange.objects.get().due_at == at + HOUR


def test_this_and_later_become_a_schedule_of_their_own_that_is_named(api, daily):
    third = daily.next_due_at + 2 * DAY
    told = moved(api, daily, third, third + HOUR, scope="later").json()
    new = Schedule.objects.exclude(pk=daily.pk).get()
    assert (told["schedule"], told["ended"]) == (new.pk, daily.pk)
    assert (told["state"], told["due_at"]) == ("active", said(third + HOUR))
    assert told["words"].startswith("Every day at 10:00")


def test_all_move_within_the_schedule(api, daily):
    third = daily.next_due_at + 2 * DAY
    told = moved(api, daily, third, third + HOUR, scope="all").json()
    assert (told["schedule"], told["ended"]) == (daily.pk, None)
    assert told["due_at"] == said(daily.next_due_at + HOUR)


@pytest.mark.parametrize("scope", ["one", "later", "all"])
def test_what_is_looked_at_first_is_what_comes_and_changes_nothing(api, daily, scope):
    third = daily.next_due_at + 2 * DAY
    before = Schedule.objects.values().get(), History.objects.count()
    look = moved(api, daily, third, third + HOUR, scope=scope, dry_run=True).json()
    assert (Schedule.objects.values().get(), History.objects.count()) == before
    assert not OccurrenceChange.objects.exists()
    done = moved(api, daily, third, third + HOUR, scope=scope).json()
    differing = {name for name in done if done[name] != look[name]}
    assert differing == ({"dry_run", "schedule"} if scope == "later" else {"dry_run"})
    assert look["schedule"] == (None if scope == "later" else daily.pk)


def test_a_message_that_goes_once_moves_and_is_no_series(api, once):
    at = once.next_due_at
    assert moved(api, once, at, at + DAY, scope="later").status_code == 409
    assert moved(api, once, at, at + DAY).json()["due_at"] == said(at + DAY)
    once.refresh_from_db()
    assert once.next_due_at == at + DAY
    assert moved(api, once, at, at + DAY).status_code == 404


def test_what_stands_too_close_is_told_before(api, daily, make_schedule, clerk, world):
    Room.objects.filter(pk=world.room.pk).update(min_interval_seconds=600)
    at = daily.next_due_at
    then = (at + HOUR).astimezone(UTC)
    timing = {"date": then.date(), "time": then.time(), "zone": "UTC"}
    register(make_schedule(**timing, title="Other", text="Other"), by=clerk)
    told = moved(api, daily, at, at + HOUR + timedelta(minutes=5), dry_run=True).json()
    assert "Other" in " ".join(told["clashes"])
    assert told["held"][0]["limits"][0]["limit"] == "interval"


def test_who_needs_approval_is_told_that_it_waits(api, daily, world):
    demand(world.xinyi)
    at = daily.next_due_at
    assert moved(api, daily, at, at + HOUR, scope="all", dry_run=True).json()["state"] == "waiting"
    assert moved(api, daily, at, at + HOUR).status_code == 409
    daily.refresh_from_db()
    assert daily.state == "active"


def test_who_looked_at_another_revision_moves_nothing(api, daily):
    at, stale = daily.next_due_at, daily.revision + 1
    for scope in ("one", "later", "all"):
        asked = {"scope": scope, "revision": stale}
        assert moved(api, daily, at, at + HOUR, **asked).status_code == 409
    tag = {"If-Match": f'"{stale}"'}
    assert moved(api, daily, at, at + HOUR, headers=tag).status_code == 409
    assert moved(api, daily, at, at + HOUR, revision=daily.revision, headers=tag).status_code == 409
    assert not OccurrenceChange.objects.exists()
    tag = {"If-Match": f'"{daily.revision}"'}
    assert moved(api, daily, at, at + HOUR, headers=tag).status_code == 200


def test_the_same_key_moves_once(api, daily):
    third = daily.next_due_at + 2 * DAY
    key = {"Idempotency-Key": "once"}
    answers = [
        moved(api, daily, third, third + HOUR, scope="later", headers=dict(key)) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert Schedule.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"scope": "these"}, 400),
        ({"due_at": "2031-01-01T09:00"}, 400),
        ({"due_at": "1999-01-01T09:00Z"}, 400),
        ({"at": "x"}, 400),
        ({"dry_run": "yes"}, 400),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(api, daily, wrong, status):
    at = daily.next_due_at
    body = {"due_at": said(at + HOUR), "dry_run": True, **wrong}
    answer = api.post(f"/schedules/{daily.pk}/occurrences/{said(at)}/move", body)
    assert answer.status_code == status and set(answer.json()["errors"]) == set(wrong)


def test_a_time_that_is_none_is_not_found(api, daily):
    at = daily.next_due_at + HOUR
    for scope in ("one", "later", "all"):
        assert moved(api, daily, at, at + HOUR, scope=scope).status_code == 404


@pytest.mark.parametrize(
    ("who", "status"), [("tainan", 404), ("stranger", 403), ("viewer", 403), ("reader", 403)]
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_who_may_not_moves_nothing_and_is_shown_nothing(daily, world, who, status, dry_run):
    by = world.people.get(who) or world.person(world.xinyi, Role.VIEWER)
    api = caller(world.people["xinyi"], "read") if who == "reader" else caller(by)
    at = daily.next_due_at
    answer = moved(api, daily, at, at + HOUR, scope="later", dry_run=dry_run)
    assert answer.status_code == status
    assert Schedule.objects.count() == 1 and not OccurrenceChange.objects.exists()
