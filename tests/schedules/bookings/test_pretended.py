"""A sandbox with a pretended quota is billed as LINE is; one without is not."""

import pytest

from channels.models import Account, QuotaReading
from orgs.clock import database_now
from schedules.dispatch import meter
from schedules.models import Delivery
from schedules.states import DeliveryState

pytestmark = pytest.mark.django_db


@pytest.fixture
def metered(world) -> Account:
    world.sandbox.config = {"behaviour": "accept", "honours_key": "yes", "quota": "1"}
    world.sandbox.save()
    return world.sandbox


@pytest.mark.parametrize("config", [{}, {"quota": ""}, {"behaviour": "accept"}])
def test_without_one_nothing_is_billed_or_asked(world, config):
    Account.objects.update(config=config)
    assert not Account.objects.get().meters
    assert list(Account.objects.metering()) == []
    assert meter.take_accounts(database_now()) == []


def test_with_one_the_account_meters(world, metered, line_account):
    Account.objects.create(unit=world.hq, name="Free", kind="sandbox")
    assert metered.meters
    assert set(Account.objects.metering()) == {metered, line_account}
    assert set(meter.take_accounts(database_now())) == {metered, line_account}


@pytest.mark.django_db(transaction=True)
def test_a_run_that_fits_goes_and_the_next_is_stopped_before_its_first_message(
    world, metered, due, dispatch
):
    now = database_now().replace(microsecond=0)
    told = {"limit": 1, "used": 0, "read_at": now, "tried_at": now}
    QuotaReading.objects.create(account=metered, **told)
    first = due(now, text="first")
    dispatch()
    second = due(database_now().replace(microsecond=0), text="second", rooms=[world.test_room])
    dispatch()
    assert Delivery.objects.get(run__schedule=first).state == DeliveryState.SENT
    run = second.runs.get()
    assert (run.state, run.detail) == (
        "skipped", "Sandbox: needs 1; 0 left this month; 1 short",
    )  # fmt: skip


def test_a_quota_that_is_taken_away_leaves_no_reading(client, world, metered):
    now = database_now()
    QuotaReading.objects.create(account=metered, limit=1, read_at=now, tried_at=now)
    client.force_login(world.people["hq"])
    address = f"/admin/channels/account/{metered.pk}/change/"
    assert "Quota of this month" in client.get(address).content.decode()
    posted = {
        "unit": world.hq.pk, "name": "Sandbox", "is_active": "on", "is_shared": "on",
        "setting_behaviour": "accept", "setting_honours_key": "yes", "setting_quota": "",
    }  # fmt: skip
    assert client.post(address, posted).status_code == 302
    assert not QuotaReading.objects.exists()
