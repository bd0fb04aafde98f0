"""From the form to the room: registered in the browser, sent by a real worker, seen arriving."""

import re

import pytest
from playwright.sync_api import Page, expect

from channels.models import SandboxMessage
from orgs.clock import database_now
from schedules.models import Delivery, Heartbeat
from tests.browser.test_wizard import go_on, write_and_drop
from tests.processes.machine import machine, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]


def a_loop_is_up() -> bool:
    age = Heartbeat.age(Heartbeat.Kind.LOOP, database_now())
    return age is not None and age < 3


def test_a_clerks_message_is_seen_arriving_in_the_room(page: Page, world, live_server, tmp_path):
    with machine(tmp_path, TEIJI_PUBLIC_URL=live_server.url, TEIJI_MEDIA_ROOT=str(tmp_path)) as run:
        run.beat()
        run.worker()
        wait_until(a_loop_is_up, 30, "a worker")
        chat = page.context.new_page()
        chat.goto(f"/admin/channels/room/{world.room.pk}/chat/")
        expect(chat.get_by_text("안녕하세요")).to_have_count(0)

        register_for_now(page)

        # Without a reload: the room's page asks by itself.
        expect(chat.get_by_text("안녕하세요 😊")).to_be_visible(timeout=15_000)
        expect(chat.locator("img[src^='/m/']")).to_have_count(2)
        for image in chat.locator("img[src^='/m/']").all():
            expect(image).to_have_js_property("complete", True)
            assert image.evaluate("image => image.naturalWidth") > 0
        wait_until(lambda: Delivery.objects.get().state != "sending", 10, "the outcome")

    kinds = [body["kind"] for body in SandboxMessage.objects.values_list("body", flat=True)]
    assert kinds == ["text", "image", "image"]
    delivery = Delivery.objects.get()
    assert delivery.state in ("sent", "confirmed")
    assert 0 <= delivery.lateness_ms < 3000

    page.goto(f"/admin/schedules/run/{delivery.run_id}/change/")
    page.get_by_text("1 attempt").click()
    for word in ("Xinyi room", "안녕하세요", "accepted", "Asia/Taipei"):
        expect(page.get_by_text(re.compile(word)).first).to_be_visible()


def register_for_now(page: Page) -> None:
    page.goto("/admin/schedules/schedule/add/")
    page.get_by_label("Title").fill("지금 보내기")
    page.get_by_text("Xinyi room").click()
    go_on(page, "content")
    write_and_drop(page)
    go_on(page, "timing")
    page.get_by_text("Now", exact=True).click()
    go_on(page, "review")
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/change/")
