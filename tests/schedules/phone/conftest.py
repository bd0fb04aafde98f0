"""An account whose phone runs our script, and what it is sent."""

import pytest
from django.core.cache import caches
from django.test import Client

from channels.admin.phone_script import filled_in
from channels.models import Account, Room
from schedules.actions import register
from schedules.models import Delivery
from tests.fakes.messengerbot import Phone
from tests.unlimited import UNLIMITED

TOKEN = "mb_" + "x" * 43


@pytest.fixture(autouse=True)
def empty_cache():
    caches["memory"].clear()


@pytest.fixture
def account(world) -> Account:
    made = Account(unit=world.hq, name="Phone", kind="messengerbot", is_shared=True)
    made.config, made.secrets = {"wait_seconds": "180", "pause_seconds": "1"}, {"token": TOKEN}
    made.save()
    return made


@pytest.fixture
def room(world, account) -> Room:
    return Room.objects.create(
        **UNLIMITED, unit=world.xinyi, account=account, name="Guests", address="손님방"
    )


@pytest.fixture
def phone(account) -> Phone:
    client = Client()

    def http(verb, url, headers, body):
        kind = headers.get("Content-Type", "")
        answer = client.generic(verb, url, body, content_type=kind, headers=headers)
        return answer.status_code, answer.content.decode()

    script = filled_in(account, TOKEN)
    return Phone(script, http, knows={"손님방"})


@pytest.fixture
def send(world, make_schedule, room, dispatch):
    """Register this text for now, and let the dispatcher work."""

    def make(text: str = "정각입니다", rooms=None, **values) -> Delivery:
        now = {"timing_kind": "now", "date": None, "time": None}
        schedule = make_schedule(rooms=rooms or [room], text=text, **now, **values)
        register(schedule, by=world.people["hq"])
        dispatch()
        return Delivery.objects.get(run__schedule=schedule)

    return make


@pytest.fixture
def settled(dispatch):
    """The delivery's state once the dispatcher has looked."""

    def look(delivery: Delivery) -> str:
        dispatch()
        delivery.refresh_from_db()
        return "asked" if delivery.is_asked_about else delivery.state

    return look
