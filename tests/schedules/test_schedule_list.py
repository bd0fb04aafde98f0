"""The list of schedules: what its rows say, how it is narrowed, what is done to many."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from orgs.clock import database_now
from orgs.models import User
from orgs.reach import Role
from schedules import actions
from schedules.admin.spark import in_words, spark
from schedules.models import Run, Schedule
from schedules.shown.recent import RUNS, recent_runs
from schedules.states import RunState, ScheduleState
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

LIST = "/admin/schedules/schedule/"


@pytest.fixture
def registered(make_schedule: Callable[..., Schedule], clerk: User) -> Callable[..., Schedule]:
    def make(*, by: User = clerk, **values) -> Schedule:
        number = Schedule.objects.count()
        values = {"title": f"Notice {number}", "text": f"Text {number}"} | values
        return actions.register(make_schedule(**values), by=by)

    return make


def ran(schedule: Schedule, *states: RunState) -> None:
    """Runs that ended so, the last an hour ago."""
    now = database_now()
    for number, state in enumerate(reversed(states), start=1):
        is_sent = state == RunState.SENT
        Run.objects.create(
            schedule=schedule, due_at=now - timedelta(hours=number), planned_at=now, state=state,
            title=schedule.title, unit_path=schedule.unit.path, zone="UTC", total=1, sent=is_sent,
        )  # fmt: skip


def titles(desk: Client, query: str = "") -> list[str]:
    page = desk.get(f"{LIST}?{query}")
    assert page.status_code == 200
    return [row.title for row in page.context["cl"].result_list]


def test_thirty_rows_with_their_runs_ask_as_much_as_one(desk, registered):
    ran(registered(), *[RunState.SENT] * 20)
    queries_of(desk, LIST)
    few = queries_of(desk, LIST)
    for _ in range(29):
        ran(registered(), RunState.SENT, RunState.FAILED)
    assert queries_of(desk, LIST) == few


def test_of_each_the_latest_runs_are_brought_the_newest_first(registered):
    long, short, none = registered(), registered(), registered()
    ran(long, *[RunState.FAILED] * 5, *[RunState.SENT] * RUNS)
    ran(short, RunState.SENT, RunState.SKIPPED, RunState.PLANNED)
    found = recent_runs([long, short, none])
    assert [run.state for run in found[long.pk]] == ["sent"] * RUNS
    assert [run.state for run in found[short.pk]] == ["skipped", "sent"]
    assert none.pk not in found


def test_a_spark_line_says_in_words_what_it_draws(registered):
    schedule = registered()
    ran(schedule, RunState.SENT, RunState.FAILED, RunState.SKIPPED, RunState.SENT)
    runs = recent_runs([schedule])[schedule.pk]
    assert in_words(runs) == "The last 4 runs: 2 sent, 1 skipped, 1 failed"
    drawn = spark(runs)
    assert (drawn.count("sp-good"), drawn.count("sp-bad"), drawn.count("sp-quiet")) == (2, 1, 1)
    assert "2 of 4 sent" in drawn


def test_the_next_run_is_counted_down_when_it_is_near(desk, registered):
    near, far = registered(due_in=3600), registered(due_in=3 * 86400)
    page = desk.get(LIST).content.decode()
    assert f'data-countdown="{near.next_due_at.isoformat()}"' in page
    assert far.next_due_at.isoformat() not in page.replace("datetime=", "").split("<tbody")[0]
    assert page.count("data-countdown") == 1


def test_it_is_narrowed_by_the_next_run(desk, registered, clerk):
    for title, due_in in (("Soon", 600), ("Far", 3 * 86400)):
        registered(title=title, due_in=due_in)
    actions.pause(registered(title="Held", due_in=900), by=clerk)
    assert titles(desk, "next=hour") == ["Soon"]
    assert titles(desk, "next=none") == ["Held"]
    assert "Far" not in titles(desk, "next=today")


def test_it_is_narrowed_by_a_unit_and_all_under_it(client, registered, world, make_schedule):
    registered(title="Of Xinyi")
    foreign = make_schedule(title="Of Tainan", unit=world.tainan, rooms=[world.tainan_room])
    actions.register(foreign, by=world.people["tainan"])
    client.force_login(world.people["hq"])
    assert titles(client, f"unit={world.north.pk}") == ["Of Xinyi"]
    client.force_login(world.people["taipei"])
    assert titles(client, f"unit={world.tainan.pk}") == titles(client, "unit=x") == []
    units = client.get(LIST).content.decode()
    assert f"unit={world.xinyi.pk}" in units
    assert f"unit={world.tainan.pk}" not in units


def test_units_are_offered_beside_what_was_asked_for_and_counted_on_demand(
    client, registered, world
):
    registered()
    client.force_login(world.people["hq"])
    asked = client.get(f"{LIST}?state__exact=active&unit={world.xinyi.pk}").content.decode()
    assert f'href="?state__exact=active&amp;unit={world.tainan.pk}"' in asked
    assert (
        f'dark:text-primary-500"><a href="?state__exact=active&amp;unit={world.xinyi.pk}"' in asked
    )
    assert "Xinyi (1)" in client.get(f"{LIST}?_facets=True").content.decode()


def tick(desk: Client, verb: str, *rows: Schedule):
    return desk.post(
        LIST, {"action": f"{verb}_chosen", "_selected_action": [row.pk for row in rows]}
    )


def many(desk: Client, verb: str, *rows: Schedule, **values):
    chosen = [f"{row.pk}@{row.revision}" for row in rows]
    return desk.post(f"{LIST}many/{verb}/", {"row": chosen, **values})


def test_a_shift_is_looked_at_before_it_is_done(desk, registered):
    rows = [registered(due_in=7200), registered(due_in=10_800)]
    assert "Look at it first" in tick(desk, "shift", *rows).content.decode()
    looked = many(desk, "shift", *rows, days="1", minutes="-30")
    assert [line.then for line in looked.context["lines"]] == [
        row.next_due_at + timedelta(days=1, minutes=-30) for row in reversed(rows)
    ]
    for row in rows:
        row.refresh_from_db()
        assert row.revision == 0


def test_each_is_answered_by_itself_and_a_reload_shifts_nothing_twice(desk, registered):
    goes = registered(due_in=7200)
    grid = registered(timing_kind="interval", every_minutes=30, date=None, time=None)
    for expected in ([True, False], [True, True]):
        done = many(desk, "shift", goes, grid, days="1", sure="yes")
        refused = {line.row.pk: bool(line.refusal) for line in done.context["lines"]}
        assert [refused[grid.pk], refused[goes.pk]] == expected
    assert "has no time to shift" in done.content.decode()
    moved = Schedule.objects.get(pk=goes.pk)
    assert moved.next_due_at == goes.next_due_at + timedelta(days=1)


@pytest.mark.parametrize("values", [{}, {"days": "0", "minutes": "0"}, {"days": "9999"}])
def test_a_shift_by_nothing_or_by_too_much_asks_again(desk, registered, values):
    answer = many(desk, "shift", registered(), sure="yes", **values)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert Schedule.objects.get().revision == 0


def test_a_priority_is_given_to_many(desk, registered):
    rows = [registered(), registered()]
    answer = many(desk, "priority", *rows, priority="80", sure="yes")
    assert answer.status_code == 302
    assert set(Schedule.objects.values_list("priority", flat=True)) == {80}
    assert "priority 80" in desk.get(LIST).content.decode()


def test_cancelling_many_asks_first(desk, registered):
    row = registered()
    assert "Cancel for good" in tick(desk, "cancel", row).content.decode()
    row.refresh_from_db()
    assert row.state == ScheduleState.ACTIVE
    many(desk, "cancel", row, sure="yes")
    row.refresh_from_db()
    assert row.state == ScheduleState.CANCELLED


def test_where_one_is_refused_each_is_answered_by_its_name(desk, registered, clerk):
    active, paused = registered(title="Active"), registered(title="Paused")
    actions.pause(paused, by=clerk)
    answer = tick(desk, "resume", active, paused)
    assert "Only a paused schedule can be resumed." in answer.content.decode()
    assert {line.row.title: bool(line.refusal) for line in answer.context["lines"]} == {
        "Active": True, "Paused": False,
    }  # fmt: skip


@pytest.mark.parametrize("verb", ["shift", "priority", "cancel", "pause"])
def test_nothing_is_done_to_many_out_of_reach(client, registered, world, verb):
    row = registered()
    values = {"days": "1", "priority": "80", "sure": "yes"}
    client.force_login(world.people["tainan"])
    assert many(client, verb, row, **values).status_code == 404
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert many(client, verb, row, **values).status_code == 404
    assert client.get(f"{LIST}many/{verb}/").status_code == 405
    row.refresh_from_db()
    assert (row.state, row.priority, row.revision) == (ScheduleState.ACTIVE, 50, 0)


def test_more_than_can_be_answered_at_once_are_refused(desk, registered, monkeypatch):
    monkeypatch.setattr("schedules.admin.many.MOST", 1)
    rows = [registered(), registered()]
    answer = tick(desk, "pause", *rows)
    assert answer.status_code == 302
    assert not Schedule.objects.filter(state=ScheduleState.PAUSED).exists()
