"""A stateful LINE, a room at it, and processes that send there."""

import pytest

from channels.models import Account, Room
from tests.fakes.line import CHANNEL_ID, CHANNEL_SECRET, LineFake
from tests.fakes.serving import in_thread
from tests.processes.machine import machine
from tests.unlimited import UNLIMITED


@pytest.fixture
def fake():
    return LineFake()


@pytest.fixture
def line_room(world):
    account = Account(unit=world.hq, name="LINE", kind="line", config={"channel_id": CHANNEL_ID})
    account.secrets = {"channel_secret": CHANNEL_SECRET}
    account.save()
    return Room.objects.create(
        unit=world.xinyi, account=account, name="LINE group", address="C" + "1" * 32, **UNLIMITED
    )


@pytest.fixture
def running(fake, tmp_path, world):
    with in_thread(fake) as url, machine(tmp_path, TEIJI_LINE_API_HOST=url) as processes:
        yield processes
