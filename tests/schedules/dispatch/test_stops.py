"""An account that its channel refuses holds its messages until a person has seen to it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from channels.adapters.base import refused
from channels.models import Account, AccountCheck, Fact, QuotaReading
from channels.models.alert import Alert
from logs.models import History
from orgs.clock import month_around
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.pace import note_answers, pace
from schedules.dispatch.stops import resume_spent
from schedules.models import Delivery
from tests.schedules.conftest import SECOND, claim_at, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def spent(world, planned):
    """Two messages; at the first the channel says that the month is spent. Gives the second."""
    planned(title="First", text="First")
    (second,) = planned(title="Second", text="Second")
    first = next(c for c in on_the_wire(second.due_at) if c.id != second.pk)
    words = "You have reached your monthly limit."
    error = refused(words, account_wide=True, spent=True, status=429)
    note_answers([not_accepted(first, second.due_at, error)] * 2)
    Delivery.objects.update(state="planned", claim=None, wire_at=None, lease_until=None)
    Delivery.objects.exclude(pk=second.pk).delete()
    return second


def test_the_account_is_stopped_once_and_it_is_written_why(world, spent):
    account = Account.objects.get(pk=world.sandbox.pk)
    assert account.stopped_at == spent.due_at
    assert account.stopped_why == "You have reached your monthly limit."
    assert History.objects.filter(kind="account", verb="stopped").count() == 1
    fact = Fact.objects.get(kind="account.stopped")
    assert (fact.unit_path, fact.data["account"]) == (world.hq.path, account.pk)


def test_its_messages_wait(spent):
    paced = pace(claim_at(spent.due_at), spent.due_at)
    assert paced.times == {}
    ((waiting, until),) = paced.waiting
    assert [delivery.id for delivery in waiting] == [spent.pk]
    assert until > spent.due_at


def test_they_go_when_a_person_has_seen_to_it(spent):
    Account.objects.update(stopped_at=None)
    assert list(pace(claim_at(spent.due_at), spent.due_at).times) == [spent.pk]


@pytest.fixture
def told(world, spent):
    """The channel tells so long after the stop that so much is used of 1,000."""

    def tell(after: timedelta, used: int) -> None:
        at = spent.due_at + after
        values = {"limit": 1000, "used": used, "read_at": at, "tried_at": at}
        QuotaReading.objects.update_or_create(account=world.sandbox, defaults=values)

    return tell


def test_when_the_channel_tells_of_room_they_go_by_themselves(world, spent, told):
    told(timedelta(minutes=10), used=999)
    assert resume_spent(spent.due_at + timedelta(minutes=10)) == 1
    account = Account.objects.get(pk=world.sandbox.pk)
    assert (account.stopped_at, account.stopped_why, account.is_spent) == (None, "", False)
    assert History.objects.filter(kind="account", verb="resumed").count() == 1
    assert list(Alert.objects.filter(is_over=True).values_list("subject", flat=True)) == [
        f"account:{account.pk}"
    ]


def test_room_that_was_told_of_right_after_the_stop_is_not_believed(spent, told):
    """LINE holds back what a running delivery may need."""
    told(timedelta(minutes=9), used=0)
    assert resume_spent(spent.due_at + timedelta(minutes=30)) == 0


def test_no_room_is_no_reason_to_go_on(spent, told):
    told(timedelta(minutes=20), used=1000)
    assert resume_spent(spent.due_at + timedelta(minutes=20)) == 0


def test_when_the_channels_month_turns_they_go_at_once(world, spent):
    turn = month_around(spent.due_at, "UTC").end
    assert resume_spent(turn - SECOND) == 0
    assert resume_spent(turn) == 1


def test_an_account_whose_credentials_were_refused_waits_for_a_person(world, spent):
    Account.objects.update(is_spent=False)
    assert resume_spent(spent.due_at + timedelta(days=40)) == 0


def test_what_was_stopped_anew_meanwhile_stays_stopped(world, spent):
    account = Account.objects.get(pk=world.sandbox.pk)
    Account.objects.update(stopped_at=spent.due_at + SECOND)
    assert not account.let_go_on()


def test_what_would_be_too_late_is_skipped_and_says_why(spent, settings):
    now = spent.due_at + timedelta(seconds=settings.TEIJI_GRACE_SECONDS) + SECOND
    claimed = claim_at(now)
    assert list(pace(claimed, now).times) == [spent.pk]
    marked, barred, _lease = mark_wire(claimed, now)
    assert (marked, barred) == (set(), {spent.pk: "stopped"})


def test_a_refusal_of_one_message_stops_nothing(world, planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    note_answers([not_accepted(claimed, delivery.due_at, refused("No such room"))])
    assert Account.objects.get(pk=world.sandbox.pk).stopped_at is None


def test_its_page_says_so_and_saving_it_has_its_channel_asked(world, spent, client):
    client.force_login(world.people["hq"])
    url = reverse("admin:channels_account_change", args=[world.sandbox.pk])
    shown = client.get(url).content.decode()
    assert "You have reached your monthly limit." in shown
    assert "It goes on by itself when the channel’s month turns" in shown
    form = client.get(url).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    answer = client.post(url, {k: v for k, v in values.items() if v is not False}, follow=True)
    assert "sends again as soon as its channel accepts it" in answer.content.decode()
    assert Account.objects.get(pk=world.sandbox.pk).stopped_at is not None
    assert AccountCheck.objects.get(account=world.sandbox).is_seen_to
