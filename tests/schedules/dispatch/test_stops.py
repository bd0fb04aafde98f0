"""An account that its channel refuses holds its messages until a person has seen to it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from channels.adapters.base import refused
from channels.models import Account
from logs.models import History
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.pace import note_answers, pace
from schedules.models import Delivery
from tests.schedules.conftest import SECOND, claim_at, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def spent(world, planned):
    """Two messages; at the first the channel says that the month is spent. Gives the second."""
    planned(title="First", text="First")
    (second,) = planned(title="Second", text="Second")
    first = next(c for c in on_the_wire(second.due_at) if c.id != second.pk)
    error = refused("You have reached your monthly limit.", account_wide=True, status=429)
    note_answers([not_accepted(first, second.due_at, error)] * 2)
    Delivery.objects.update(state="planned", claim=None, wire_at=None, lease_until=None)
    Delivery.objects.exclude(pk=second.pk).delete()
    return second


def test_the_account_is_stopped_once_and_it_is_written_why(world, spent):
    account = Account.objects.get(pk=world.sandbox.pk)
    assert account.stopped_at == spent.due_at
    assert account.stopped_why == "You have reached your monthly limit."
    assert History.objects.filter(kind="account", verb="stopped").count() == 1


def test_its_messages_wait(spent):
    paced = pace(claim_at(spent.due_at), spent.due_at)
    assert paced.times == {}
    ((waiting, until),) = paced.waiting
    assert [delivery.id for delivery in waiting] == [spent.pk]
    assert until > spent.due_at


def test_they_go_when_a_person_has_seen_to_it(spent):
    Account.objects.update(stopped_at=None)
    assert list(pace(claim_at(spent.due_at), spent.due_at).times) == [spent.pk]


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


def test_its_page_says_so_and_saving_it_lets_it_go_on(world, spent, client):
    client.force_login(world.people["hq"])
    url = reverse("admin:channels_account_change", args=[world.sandbox.pk])
    assert "You have reached your monthly limit." in client.get(url).content.decode()
    form = client.get(url).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    answer = client.post(url, {k: v for k, v in values.items() if v is not False}, follow=True)
    assert "The account sends again." in answer.content.decode()
    assert Account.objects.get(pk=world.sandbox.pk).stopped_at is None
