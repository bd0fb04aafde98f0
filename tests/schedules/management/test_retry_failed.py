"""`manage.py retry_failed`: which failed deliveries go again, and what it says of them."""

from datetime import timedelta

import pytest

from channels.adapters.base import refused
from logs.models import History
from schedules.actions import cancel
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Run
from tests.schedules.conftest import not_accepted, on_the_wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(world, planned):
    """One delivery of xinyi and one of tainan, refused by their channel."""

    def refuse(**values) -> Delivery:
        (row,) = planned(due_in=60, **values)
        settle([not_accepted(one, one.due_at, refused("No such room."))
                for one in on_the_wire(row.due_at)])  # fmt: skip
        return row

    return refuse(), refuse(unit=world.tainan, rooms=[world.tainan_room])


def states() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


def test_all_that_failed_of_the_last_day_goes_again(failed, manage):
    said = manage("retry_failed", "--json")
    assert (said.status, said.json) == (
        0, {"planned": [row.pk for row in failed], "refused": {}},
    )  # fmt: skip
    assert states() == ["planned", "planned"]
    assert set(History.objects.filter(verb="retried").values_list("via", flat=True)) == {"command"}


def test_a_trial_lists_them_and_changes_nothing(failed, manage):
    said = manage("retry_failed", "--dry-run")
    assert said.status == 0
    assert "A trial: 2 would be tried again." in said.out
    assert "Morning notice → Xinyi room: No such room." in said.out
    assert manage("retry_failed", "--dry-run", "--json").json["found"] == 2
    assert states() == ["failed", "failed"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--unit", "xinyi"], ["planned", "failed"]),
        (["--unit", "south"], ["failed", "planned"]),
        (["--account", "Sandbox"], ["planned", "planned"]),
        (["--by", "tainan"], ["failed", "planned"]),
    ],
)
def test_it_can_be_narrowed(failed, manage, words, expected):
    assert manage("retry_failed", *words).status == 0
    assert states() == expected


def test_it_can_be_narrowed_to_one_schedule(failed, manage, make_schedule):
    assert manage("retry_failed", "--schedule", make_schedule().pk).status == 0
    assert states() == ["failed", "failed"]
    manage("retry_failed", "--schedule", failed[0].run.schedule_id)
    assert states()[0] == "planned"


def test_what_is_older_is_left(failed, manage):
    old = failed[0].due_at - timedelta(days=2)
    Delivery.objects.filter(pk=failed[0].pk).update(due_at=old)
    manage("retry_failed")
    assert states() == ["failed", "planned"]
    manage("retry_failed", "--since", old.isoformat())
    assert states() == ["planned", "planned"]


def test_what_was_imported_is_never_sent(failed, manage):
    Run.objects.update(trigger=Run.Trigger.IMPORTED)
    assert manage("retry_failed", "--json").json == {"planned": [], "refused": {}}
    assert states() == ["failed", "failed"]


def test_what_is_refused_is_said_and_is_status_1(failed, manage, world):
    cancel(failed[0].run.schedule, by=world.people["hq"])
    said = manage("retry_failed")
    assert said.status == 1
    assert "1 are tried again." in said.out
    assert "1 are not: Its schedule was cancelled" in said.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--unit", "nowhere"], "No unit has the code “nowhere”."),
        (["--account", "nobody"], "There is no account “nobody”. There are: “Sandbox”."),
        (["--since", "soon"], "“soon” is no time."),
        (["--since", "99999999999d"], "“99999999999d” is no time."),
        (["--since", "0001-01-01T00:00+09:00"], "is no time."),
        (["--schedule", "999999"], "There is no schedule 999999."),
        (["--by", "nobody"], "There is no user nobody."),
    ],
)
def test_what_is_not_there_is_named(failed, manage, words, why):
    said = manage("retry_failed", *words)
    assert said.status == 2
    assert why in said.err
    assert states() == ["failed", "failed"]
