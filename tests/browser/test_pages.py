"""Pages that follow what happens, in a real browser."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from channels.models import SandboxMessage
from orgs.clock import database_now
from schedules import actions
from schedules.models import Run, Schedule
from schedules.states import RunState
from tests.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TALL = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300">'
    '<rect width="300" height="300"/></svg>'
)


def test_a_chat_opens_at_its_newest_message_however_late_its_images_come(
    page: Page, world: World
) -> None:
    for number in range(30):
        body = {"url": f"http://x/m/{number}.jpg"} if number % 2 else {"text": f"Text {number}"}
        SandboxMessage.objects.create(
            account=world.sandbox, address=world.room.address, body=body,
            key=uuid4(), position=0, arrived_at=database_now(),
        )  # fmt: skip
    waiting: list[Any] = []
    page.route("**/m/*.jpg", lambda route: waiting.append(route))  # noqa: PLW0108 - a built-in is refused
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"/admin/channels/room/{world.room.pk}/chat/", wait_until="domcontentloaded")
    page.wait_for_selector("[data-chat]")
    while len(waiting) < 15:
        page.wait_for_timeout(10)
    for route in waiting:
        route.fulfill(body=TALL, content_type="image/svg+xml")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    log = page.locator("[data-chat]")
    left = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
    expect(log.locator("article").last).to_be_in_viewport()
    assert log.evaluate(left) < 2
    log.evaluate("log => { log.scrollTop = 0 }")  # a person reads what was earlier
    page.wait_for_timeout(50)
    page.set_viewport_size({"width": 1000, "height": 700})
    page.wait_for_timeout(50)
    assert log.evaluate("log => log.scrollTop") < 200


def test_the_page_of_a_run_follows_it_to_its_end(
    page: Page, world: World, make_schedule: Callable[..., Schedule]
) -> None:
    by = world.people["xinyi"]
    run = actions.execute(actions.register(make_schedule(), by=by), by=by)
    page.goto(f"/admin/schedules/run/{run.pk}/change/")
    expect(page.locator("#run-state[hx-get]")).to_have_count(1)
    Run.objects.filter(pk=run.pk).update(state=RunState.SENT, sent=1)
    expect(page.locator("#run-state:not([hx-get])")).to_have_count(1, timeout=6000)
    expect(page.locator("#run-head")).to_have_count(1)
    expect(page.locator("#run-head .tj-good")).to_be_visible()
