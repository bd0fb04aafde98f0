"""What failed is tried again when a person says so."""

from datetime import timedelta
from functools import partial

import pytest

from logs.models import Attempt, History
from orgs.clock import database_now
from orgs.reach import Role
from schedules.actions import NeedsSure, OutOfReach, retry, retryable
from schedules.actions.lifecycle import cancel
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Run
from tests.schedules.at_once import at_once
from tests.schedules.conftest import accepted, on_the_wire

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def states() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


def test_it_goes_again_at_once_with_its_own_key_and_its_run_is_under_way(failed, clerk):
    (row,) = failed()
    assert Run.objects.get().state == "failed"
    now = database_now()
    retried = retry([row.pk], by=clerk)
    assert (retried.planned, retried.refused) == ([row.pk], {})
    run = Run.objects.get()
    assert (run.state, run.failed, run.completed_at) == ("sending", 0, None)
    again = Delivery.objects.get()
    assert (again.state, again.tries, again.error) == ("planned", 0, "")
    assert again.next_try_at >= now
    (claimed,) = on_the_wire(again.next_try_at)
    settle([accepted(claimed, again.next_try_at)])
    assert states() == ["sent"]
    assert Run.objects.get().state == "sent"
    assert Attempt.objects.values_list("key").distinct().count() == 1, "the key of the first try"


def test_what_a_person_sends_again_is_not_counted_as_late(failed, clerk):
    (row,) = failed()
    retry([row.pk], by=clerk)
    at = Delivery.objects.get().next_try_at
    settle([accepted(claimed, at) for claimed in on_the_wire(at)])
    assert Delivery.objects.get().lateness_ms is None


def test_only_what_failed_of_a_run_goes_again(failed, group, clerk):
    rows = failed(rooms=group(3))
    retry([rows[0].pk], by=clerk)
    at = Delivery.objects.get(pk=rows[0].pk).next_try_at
    settle([accepted(claimed, at) for claimed in on_the_wire(at)])
    assert Run.objects.get().state == "partial"
    retried = retry([row.pk for row in rows], by=clerk)
    assert retried.planned == [rows[1].pk, rows[2].pk]
    assert "sent" in str(retried.refused[rows[0].pk])
    run = Run.objects.get()
    assert (run.state, run.sent, run.failed) == ("sending", 1, 0)


def test_it_goes_on_with_the_part_at_which_it_failed(failed, clerk):
    (row,) = failed()
    Delivery.objects.update(parts=2, part=1)
    retry([row.pk], by=clerk)
    assert Delivery.objects.get().part == 1


def test_the_history_says_who(failed, clerk):
    (row,) = failed()
    retry([row.pk], by=clerk)
    entry = History.objects.get(verb="retried")
    assert (entry.kind, entry.object_id, entry.actor) == ("delivery", str(row.pk), clerk.username)
    assert entry.changes == {"state": ["failed", "planned"], "run": row.run_id}


def test_nobody_retries_what_is_out_of_reach_and_hears_the_same_of_what_is_not_there(
    world, failed, clerk
):
    (row,) = failed(unit=world.tainan, rooms=[world.tainan_room])
    refused_ = retry([row.pk, 10**9], by=clerk).refused
    assert {str(error) for error in refused_.values()} == {"There is no such delivery."}
    assert all(isinstance(error, OutOfReach) for error in refused_.values())
    assert not retryable(clerk).exists()
    assert states() == ["failed"]


def test_who_only_reads_retries_nothing(world, failed):
    (row,) = failed()
    reader = world.person(world.xinyi, Role.VIEWER)
    assert isinstance(retry([row.pk], by=reader).refused[row.pk], OutOfReach)


def test_what_an_older_system_sent_is_never_sent_by_us(failed, clerk):
    (row,) = failed()
    Run.objects.update(trigger=Run.Trigger.IMPORTED)
    assert not retryable(clerk).exists()
    assert "older system" in str(retry([row.pk], by=clerk).refused[row.pk])
    assert states() == ["failed"]


def test_of_a_cancelled_schedule_nothing_goes_again(failed, clerk):
    (row,) = failed()
    cancel(row.run.schedule, by=clerk)
    assert "cancelled" in str(retry([row.pk], by=clerk).refused[row.pk])


def test_what_is_long_past_needs_to_be_meant(failed, clerk):
    (row,) = failed()
    Delivery.objects.update(due_at=database_now() - DAY)
    assert isinstance(retry([row.pk], by=clerk, sure=False).refused[row.pk], NeedsSure)
    assert retry([row.pk], by=clerk).planned == [row.pk]


def test_images_that_are_no_longer_public_are_not_sent(failed, make_images, clerk):
    (row,) = failed(images=make_images(1))
    Run.objects.update(due_at=database_now() - 40 * DAY)
    assert "images" in str(retry([row.pk], by=clerk).refused[row.pk])


@pytest.mark.django_db(transaction=True)
def test_of_two_who_retry_at_the_same_moment_each_delivery_goes_once(world, failed, group, clerk):
    rows = failed(rooms=group(4))
    ids = [row.pk for row in rows]
    both = at_once(partial(retry, ids, by=clerk), partial(retry, ids, by=world.people["xinyi"]))
    assert sorted(pk for one in both for pk in one.planned) == ids
    assert History.objects.filter(verb="retried").count() == 4
    assert Run.objects.get().state == "sending"
