"""An audience gets its message in batches, each person once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from channels.models import Account, Audience, Recipient
from logs.models import Attempt
from schedules.dispatch.claim import claim, load_members
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.members import settle_members
from schedules.dispatch.plan import plan
from schedules.models import Delivery, Run, Schedule
from schedules.states import ScheduleState, move
from tests.fakes.line import MULTICAST, LineFake
from tests.fakes.serving import in_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def run_for(make_schedule):
    """Let a schedule to this audience be due in two seconds, and plan it."""

    def make(audience: Audience, **values) -> Run:
        schedule = make_schedule(rooms=[], audience=audience, **values)
        now = timezone.now()
        due_at = now + timedelta(seconds=2)
        row = Schedule.objects.filter(pk=schedule.pk)
        move(row, ScheduleState.ACTIVE, next_due_at=due_at, date=due_at.date(), time=due_at.time())
        plan(now)
        return Run.objects.get(schedule=schedule)

    return make


def sizes(run: Run) -> list[int]:
    batches = Delivery.objects.filter(run=run).order_by("batch")
    return [len(delivery.members) for delivery in batches]


def test_a_batch_holds_as_many_people_as_one_request_may(make_audience, run_for):
    run = run_for(make_audience(1100))
    assert sizes(run) == [500, 500, 100]
    assert run.total == 3


def test_who_has_opted_out_is_left_out(make_audience, run_for):
    audience = make_audience(3)
    audience.recipients.filter(address=f"U{1:032x}").update(opted_out_at=timezone.now())
    (delivery,) = Delivery.objects.filter(run=run_for(audience))
    assert delivery.members == [f"U{0:032x}", f"U{2:032x}"]


def test_a_run_to_nobody_says_so(make_audience, run_for):
    run = run_for(make_audience(0))
    assert (run.state, run.reason, run.total) == ("skipped", "no_person", 0)


def test_the_same_message_at_the_same_time_goes_to_an_audience_once(make_audience, run_for):
    audience = make_audience(700)
    first = run_for(audience)
    second = Run.objects.create(
        schedule=first.schedule, due_at=first.due_at + timedelta(minutes=1), title="twin",
        unit_path=first.unit_path, zone="UTC", planned_at=first.planned_at,
    )  # fmt: skip
    twin = Delivery.objects.filter(run=first).first()
    twin.pk, twin.run = None, second
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


def test_the_members_are_those_of_the_moment_of_planning(make_audience, run_for):
    audience = make_audience(2)
    run = run_for(audience)
    audience.recipients.clear()
    now = run.due_at
    claimed = claim(now, worker="one", limit=10)
    assert list(load_members(claimed).values()) == [(f"U{0:032x}", f"U{1:032x}")]
    assert mark_wire(claimed, now)[0] == {claimed[0].id}


# Who opts out between planning and sending.


def opt_out(*numbers: int) -> None:
    addresses = [f"U{number:032x}" for number in numbers]
    Recipient.objects.filter(address__in=addresses).update(opted_out_at=timezone.now())


def test_who_opts_out_after_planning_is_taken_out_for_good(make_audience, run_for):
    run = run_for(make_audience(3))
    (claimed,) = claim(run.due_at, worker="one", limit=10)
    opt_out(1)
    left = (f"U{0:032x}", f"U{2:032x}")
    assert settle_members([claimed]) == {claimed.id: left}
    assert Delivery.objects.get(run=run).members == list(left)
    run.refresh_from_db()
    assert run.recipients == 2
    assert settle_members([claimed]) == {claimed.id: left}  # asked twice, counted once
    run.refresh_from_db()
    assert run.recipients == 2


@pytest.mark.parametrize("tried", [{"started_at": timezone.now()}, {"in_doubt": True}])
def test_a_retry_goes_to_the_people_of_the_first_try(make_audience, run_for, tried):
    run = run_for(make_audience(2))
    Delivery.objects.filter(run=run).update(**tried)
    claimed = claim(run.due_at, worker="one", limit=10)
    opt_out(0, 1)
    assert settle_members(claimed) == load_members(claimed)


def test_who_lost_the_claim_takes_nobody_out(make_audience, run_for):
    run = run_for(make_audience(2))
    claimed = claim(run.due_at, worker="one", limit=10)
    opt_out(0)
    Delivery.objects.filter(run=run).update(claim=uuid4())
    settle_members(claimed)
    assert sizes(run) == [2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.enable_socket
def test_a_batch_whose_people_all_opted_out_is_skipped(make_audience, run_for, dispatch, settings):
    fake = LineFake()
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        run = run_for(make_audience(501))
        opt_out(3, 500)
        dispatch()
    assert [len(message.to) for message in fake.log] == [499]
    found = Delivery.objects.filter(run=run).order_by("batch")
    assert [(d.state, d.reason) for d in found] == [("sent", ""), ("skipped", "opted_out")]
    run.refresh_from_db()
    assert run.recipients == 499


@pytest.mark.parametrize("what", ["audience", "unit"])
def test_nothing_is_sent_to_what_is_inactive(make_audience, run_for, world, what):
    audience = make_audience(2)
    run = run_for(audience)
    claimed = claim(run.due_at, worker="one", limit=10)
    thing = {"audience": audience, "unit": world.taipei}[what]
    type(thing).objects.filter(pk=thing.pk).update(is_active=False)
    assert mark_wire(claimed, run.due_at)[:2] == (set(), {claimed[0].id: "inactive"})


def test_an_audience_that_left_the_schedules_unit_is_not_sent_to(make_audience, run_for, world):
    audience = make_audience(2)
    run = run_for(audience)
    Audience.objects.update(unit=world.tainan)
    claimed = claim(run.due_at, worker="one", limit=10)
    assert mark_wire(claimed, run.due_at)[:2] == (set(), {claimed[0].id: "reach"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.enable_socket
def test_everybody_gets_it_once_by_multicast(make_audience, run_for, dispatch, settings):
    fake = LineFake()
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        run = run_for(make_audience(1100))
        dispatch()
    reached = [address for message in fake.log for address in message.to]
    assert sorted(reached) == [f"U{number:032x}" for number in range(1100)]
    assert fake.requests == {MULTICAST: 3}
    run.refresh_from_db()
    assert (run.state, run.sent) == ("sent", 3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.enable_socket
def test_of_1200_people_in_three_batches_a_bad_id_costs_only_itself(
    make_audience, run_for, dispatch, settings
):
    fake, bad = LineFake(), f"U{700:032x}"
    fake.strangers.add(bad)
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        run = run_for(make_audience(1200))
        dispatch()
    reached = [address for message in fake.log for address in message.to]
    everybody = {f"U{number:032x}" for number in range(1200)}
    assert sorted(reached) == sorted(everybody - {bad})
    assert sorted(map(len, (message.to for message in fake.log)))[-2:] == [250, 500]
    run.refresh_from_db()
    assert (run.total, run.state, run.sent, run.failed) == (3, "sent", 3, 0)
    accepted = Attempt.objects.order_by("billed")
    assert list(accepted.values_list("billed", flat=True)) == [200, 499, 500]
    assert [row.answer["refused"] for row in accepted if "refused" in row.answer] == [[bad]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("quota", "billed"), [("", 0), ("500", 1)])
def test_who_is_refused_costs_nothing_where_nothing_is_billed_either(
    world, run_for, dispatch, quota, billed
):
    world.sandbox.config = {"strangers": "gone-", "quota": quota}
    world.sandbox.save()
    facts = {"unit": world.xinyi, "account": world.sandbox}
    people = [Recipient.objects.create(address=word, **facts) for word in ("ann", "gone-1")]
    audience = Audience.objects.create(name="Some", **facts)
    audience.recipients.set(people)
    run = run_for(audience)
    dispatch()
    run.refresh_from_db()
    assert (run.state, run.sent) == ("sent", 1)
    attempt = Attempt.objects.get()
    assert (attempt.billed, attempt.answer["refused"]) == (billed, ["gone-1"])
    (row,) = Delivery.objects.to_person(people[1])
    assert row.is_refused


def test_a_channel_without_audiences_is_refused(world):
    phone = Account.objects.create(unit=world.hq, name="Phone", kind="iris", is_shared=True)
    audience = Audience(unit=world.xinyi, account=phone, name="Members")
    with pytest.raises(ValidationError) as caught:
        audience.full_clean()
    assert set(caught.value.message_dict) == {"account"}


@pytest.mark.parametrize("address", ["C" + "0" * 32, "U123", ""])
def test_a_person_has_an_id_of_the_channels_own(world, line_account, address):
    person = Recipient(unit=world.xinyi, account=line_account, address=address)
    with pytest.raises(ValidationError) as caught:
        person.full_clean()
    assert "address" in caught.value.message_dict


def test_a_person_of_another_tree_is_refused(world, line_account):
    line_account.unit = world.south
    person = Recipient(unit=world.xinyi, account=line_account, address="U" + "0" * 32)
    with pytest.raises(ValidationError) as caught:
        person.full_clean()
    assert set(caught.value.message_dict) == {"account"}
