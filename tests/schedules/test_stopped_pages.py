"""An account that is stopped is told before a schedule is registered with it, and on its page."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from channels.models import Account
from schedules.shown.stopped import stopped_of
from tests.schedules.wizard.conftest import address

pytestmark = pytest.mark.django_db

AT = datetime(2027, 3, 10, tzinfo=UTC)


@pytest.fixture
def stop(world):
    """Its channel has refused it, or says that its month is spent."""

    def make(*, spent: bool) -> None:
        account = Account.objects.get(pk=world.sandbox.pk)
        assert account.stop("It said so.", AT, spent=spent)

    return make


@pytest.fixture
def pages(make_schedule, daily, clerk):
    """Of a draft, and of what is registered."""
    draft = make_schedule(registered_by=clerk, text="Another")
    return [
        address(draft, "review"),
        reverse("admin:schedules_schedule_change", args=[daily.pk]),
    ]


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        (False, "The Sandbox account is stopped: It said so."),
        (True, "The Sandbox account has spent its month: It said so."),
    ],
)
def test_the_review_and_the_page_say_that_the_account_is_stopped(desk, pages, stop, spent, said):
    for page in pages:
        assert said not in desk.get(page).content.decode()
    stop(spent=spent)
    for page in pages:
        assert desk.get(page).content.decode().count(said) == 1


def test_the_review_and_the_page_say_that_the_account_is_inactive(desk, pages, world):
    Account.objects.filter(pk=world.sandbox.pk).update(is_active=False, stopped_at=AT)
    for page in pages:
        assert desk.get(page).content.decode().count("The Sandbox account is inactive.") == 1


def test_what_the_look_before_the_run_has_said_is_not_said_twice(daily, stop):
    stop(spent=False)
    (finding,) = stopped_of(daily)
    assert stopped_of(daily, [finding]) == []


def test_of_a_room_that_has_left_the_unit_nothing_is_told(daily, stop, world):
    stop(spent=False)
    assert len(stopped_of(daily)) == 1
    daily.rooms.update(unit=world.tainan)
    assert stopped_of(daily) == []


def test_an_audiences_account_is_told_too(make_schedule, make_audience, world):
    schedule = make_schedule(rooms=[], audience=make_audience(3))
    assert stopped_of(schedule) == []
    schedule.audience.account.stop("It said so.", AT)
    (finding,) = stopped_of(schedule)
    assert finding.facts["why"] == "It said so."
