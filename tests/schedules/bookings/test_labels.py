"""A schedule is counted by its channel under a label, as many as a month has, and sent anyway."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import DayCount, Label, QuotaReading, Room
from orgs.models import Unit
from schedules.bookings import labels
from schedules.dispatch.plan import plan
from schedules.models import Delivery, Run, Schedule
from tests.fakes.line import LineFake
from tests.fakes.serving import in_thread
from tests.schedules.at_once import at_once

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
NOON = datetime(2027, 3, 10, 3, tzinfo=UTC)  # in Tokyo
MARCH, APRIL = date(2027, 3, 1), date(2027, 4, 1)
UNITS = "customAggregationUnits"


def name_of(run: Run) -> str | None:
    """The label of the run's only account; None: it is not to be counted."""
    return next(iter(run.labels.values()), None)


def again(run: Run, due_at: datetime) -> Run:
    """The same schedule, at this time."""
    row = Schedule.objects.filter(pk=run.schedule_id)
    row.update(date=due_at.date(), time=due_at.time(), next_due_at=due_at)
    plan(due_at - 2 * SECOND)
    return Run.objects.get(schedule=run.schedule_id, due_at=due_at)


def spend(account, month: date, count: int) -> None:
    """Let these labels of a month be taken."""
    Label.objects.bulk_create(
        Label(account=account, unit_path="0001", month=month, name=f"taken_{n}", number=n,
              started_on=month, ends_on=month)
        for n in range(1, count + 1)
    )  # fmt: skip


def test_what_reaches_enough_people_is_labelled_in_its_payload(make_room, planned_at):
    (run,) = planned_at(NOON, {"rooms": [make_room(12), make_room(8)]})
    (payload,) = Delivery.objects.first().payloads
    assert payload[UNITS] == [run.schedule.label_name] == [name_of(run)]
    label = Label.objects.get()
    assert (label.name, label.month, label.number) == (name_of(run), MARCH, 1)
    assert (label.started_on, label.ends_on) == (date(2027, 3, 10), date(2027, 4, 9))
    assert label.unit_path == run.unit_path


def test_of_few_people_nothing_would_be_told_and_no_label_is_spent(make_room, planned_at):
    (run,) = planned_at(NOON, {"rooms": [make_room(12), make_room(7)]})
    assert run.labels == {} and not Label.objects.exists()
    assert UNITS not in Delivery.objects.first().payloads[0]


def test_a_channel_that_counts_nothing_is_asked_nothing(planned_at):
    with CaptureQueriesContext(connection) as asked:
        (run,) = planned_at(NOON, {})
    assert run.labels == {}
    assert not [q for q in asked if "channels_label" in q["sql"]]


def test_filled_texts_are_labelled_each(make_room, planned_at):
    rooms = [make_room(30), make_room(30)]
    (run,) = planned_at(NOON, {"rooms": rooms, "text": "Hello {room}"})
    each = [row.own_payloads[0] for row in Delivery.objects.all()]
    assert [one[UNITS] for one in each] == [[name_of(run)]] * 2


def test_a_run_that_is_not_sent_spends_none(reading, make_room, planned_at):
    reading(10, at=NOON)
    (run,) = planned_at(NOON, {"rooms": [make_room(30)]})
    assert (run.state, run.labels) == ("skipped", {})
    assert not Label.objects.exists()


def test_every_run_of_a_schedule_in_a_month_has_one_label(make_room, planned_at):
    (first,) = planned_at(NOON, {"rooms": [make_room(30)]})
    second = again(first, NOON + DAY)
    assert second.labels == first.labels
    assert Label.objects.count() == 1


def test_in_a_new_month_of_the_channel_the_name_is_the_same_and_counted_apart(
    make_room, planned_at
):
    (first,) = planned_at(NOON, {"rooms": [make_room(30)]})
    in_tokyo = datetime(2027, 3, 31, 15, tzinfo=UTC)  # midnight there: April begins
    later = again(first, in_tokyo)
    assert later.labels == first.labels
    march, april = Label.objects.order_by("month")
    assert (march.month, april.month, april.number) == (MARCH, APRIL, 1)
    assert march.ends_on == date(2027, 3, 31) and april.started_on == APRIL


def test_schedules_of_a_unit_with_one_name_are_counted_together_and_others_apart(
    world, make_room, planned_at
):
    own = {"label": "spring", "rooms": [make_room(30)]}
    other = {"label": "spring", "unit": world.tainan, "rooms": [make_room(30, world.tainan)]}
    one, two, foreign = planned_at(NOON, {**own, "text": "A"}, {**own, "text": "B"}, other)
    assert name_of(one) == name_of(two) == f"spring_{world.xinyi.pk}"
    assert name_of(foreign) == f"spring_{world.tainan.pk}"
    assert Label.objects.count() == 2


def test_when_the_month_has_none_left_it_is_sent_without_and_says_so(
    billing, make_room, planned_at
):
    spend(billing, MARCH, 1000)
    (run,) = planned_at(NOON, {"rooms": [make_room(30)]})
    assert (run.state, run.labels) == ("planned", {str(billing.pk): ""})
    assert UNITS not in Delivery.objects.get().payloads[0]
    assert name_of(again(run, datetime(2027, 4, 2, tzinfo=UTC))) == run.schedule.label_name


def test_the_last_label_goes_to_one_of_two_that_are_planned_together(
    billing, make_room, planned_at
):
    spend(billing, MARCH, 999)
    runs = planned_at(
        NOON, {"text": "A", "rooms": [make_room(30)]}, {"text": "B", "rooms": [make_room(30)]}
    )
    assert sorted(bool(name_of(run)) for run in runs) == [False, True]


@pytest.mark.parametrize(("foreign", "is_labelled"), [(989, True), (990, False)])
def test_what_other_tools_have_used_is_not_ours(
    billing, reading, make_room, planned_at, *, foreign, is_labelled
):
    reading(None, at=NOON - SECOND)
    QuotaReading.objects.update(foreign_labels=foreign)
    spend(billing, MARCH, 10)
    (run,) = planned_at(NOON, {"rooms": [make_room(30)]})
    assert bool(name_of(run)) == is_labelled
    in_april = again(run, datetime(2027, 4, 2, tzinfo=UTC))
    assert name_of(in_april)


def test_thirty_new_schedules_are_labelled_with_as_many_questions_as_one(make_room, due):
    def asked(count: int, at: datetime) -> int:
        for number in range(count):
            due(at, rooms=[make_room(30)], text=f"{at} {number}")
        with CaptureQueriesContext(connection) as found:
            plan(at - 2 * SECOND)
        return len([q for q in found if "channels_label" in q["sql"]])

    assert asked(1, NOON) == asked(30, NOON + 60 * SECOND)
    assert Label.objects.count() == 31


@pytest.mark.django_db(transaction=True)
def test_two_planners_never_give_more_than_a_month_has(billing, monkeypatch):
    spend(billing, MARCH, 995)

    def book(prefix: str):
        wanted = [
            Label(account=billing, unit_path="0001", month=MARCH, name=f"{prefix}{n}",
                  started_on=MARCH, ends_on=MARCH)
            for n in range(5)
        ]  # fmt: skip
        return lambda: labels.book(wanted)

    found = at_once(book("a"), book("b"))
    assert not [answer for answer in found if isinstance(answer, Exception)]
    assert sum(len(answer) for answer in found) == 5
    assert Label.objects.count() == 1000


@pytest.mark.django_db(transaction=True)
@pytest.mark.enable_socket
def test_a_run_to_an_audience_arrives_at_line_under_its_label(
    settings, world, make_audience, due, dispatch
):
    due(datetime.now(UTC) + SECOND, rooms=[], audience=make_audience(1200), label="spring")
    fake = LineFake()
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        dispatch()
    assert [entry.unit for entry in fake.log] == [f"spring_{world.xinyi.pk}"] * 3
    assert Run.objects.get().state == "sent"


# What the pages say of it.


def page(client, world, run: Run, who: str = "xinyi") -> str:
    client.force_login(world.people[who])
    run_page = client.get(f"/admin/schedules/run/{run.pk}/change/")
    schedule_page = client.get(f"/admin/schedules/schedule/{run.schedule_id}/change/")
    return run_page.content.decode() + schedule_page.content.decode()


def test_a_run_that_is_not_counted_says_why(client, world, billing, make_room, planned_at):
    spend(billing, MARCH, 1000)
    (run,) = planned_at(NOON, {"rooms": [make_room(30)]})
    assert "LINE does not count who opens it: of one account it counts 1,000 names" in page(
        client, world, run
    )


def test_what_line_tells_stands_beside_what_was_handed_over(client, world, make_room, planned_at):
    (run,) = planned_at(NOON, {"rooms": [make_room(1200)]})
    assert "told on the day after, by the days of Asia/Tokyo" in page(client, world, run)
    Delivery.objects.update(part=1)
    until = date(2027, 3, 11)
    Label.objects.update(opened=640, clicked=None, counted_until=until)
    shown = page(client, world, run)
    said = "Teiji handed over 1,200 messages; LINE says: 640 people opened them."
    assert shown.count(said) == 2
    assert shown.count("2027-03-10 – 2027-03-11 (Asia/Tokyo)") == 2
    Label.objects.update(opened=None)
    counted = {"day": date(2027, 3, 10), "endpoint": "push", "handed": 1200, "told": 1180}
    DayCount.objects.create(account=Label.objects.get().account, **counted)
    whole_day = "(Asia/Tokyo), push: Teiji handed over 1,200, LINE says 1,180: 20 fewer."
    assert whole_day in page(client, world, run, who="hq")
    assert whole_day not in page(client, world, run)  # the account is not xinyi's
    assert page(client, world, run).count("fewer than 20 people opened them") == 2


def test_what_quiet_hours_move_past_the_end_of_the_month_counts_in_the_next(
    world, make_room, make_audience, planned_at
):
    night = {"quiet_from": time(22), "quiet_until": time(8)}
    Unit.objects.filter(pk=world.xinyi.pk).update(**night)
    late = datetime(2027, 3, 31, 14, 30, tzinfo=UTC)  # 22:30 in Taipei, 23:30 in Tokyo
    runs = planned_at(
        late,
        {"rooms": [make_room(30)]},
        {"rooms": [], "audience": make_audience(30), "text": "to each"},
    )
    assert {(label.name, label.month) for label in Label.objects.all()} == {
        (name_of(run), APRIL) for run in runs
    }
    assert {label.started_on for label in Label.objects.all()} == {date(2027, 4, 1)}


def test_where_only_some_rooms_wait_it_counts_in_both_months(make_room, planned_at):
    quiet, other = make_room(30), make_room(30)
    Room.objects.filter(pk=quiet.pk).update(quiet_from=time(22), quiet_until=time(8))
    late = datetime(2027, 3, 31, 14, 30, tzinfo=UTC)
    (run,) = planned_at(late, {"rooms": [quiet, other]})
    rows = Label.objects.order_by("month").values_list("month", "name", "ends_on")
    assert list(rows) == [
        (MARCH, name_of(run), date(2027, 3, 31)), (APRIL, name_of(run), date(2027, 5, 1)),
    ]  # fmt: skip


def test_what_one_of_two_months_does_not_count_is_not_labelled(
    billing, make_room, planned_at, world
):
    spend(billing, APRIL, 1000)
    quiet, other = make_room(30), make_room(30)
    Room.objects.filter(pk=quiet.pk).update(quiet_from=time(22), quiet_until=time(8))
    late = datetime(2027, 3, 31, 14, 30, tzinfo=UTC)
    (run,) = planned_at(late, {"rooms": [quiet, other]})
    assert name_of(run) == ""
    assert all(UNITS not in row.payloads[0] for row in Delivery.objects.all())
