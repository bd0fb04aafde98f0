"""A real browser, signed in as a branch's clerk, or as whoever a test names."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright

from orgs.models import User
from orgs.reach import Role
from tests.conftest import World

CHROMIUM = os.environ.get("TEIJI_TEST_CHROMIUM") or shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)  # ms; a busy machine is no fault of the page


@pytest.fixture(autouse=True)
def playwright_in_a_sync_test(monkeypatch: pytest.MonkeyPatch) -> None:
    # Playwright keeps a loop running in this thread, which Django takes for async code.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def browse(live_server: Any, settings: Any, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """The browser of a person, signed in; an error of a script fails the test."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")  # scripts/test says so, and fails where CI=true
    settings.MEDIA_ROOT = tmp_path
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)

        def open_as(person: User, *, width: int = 1280, height: int = 900) -> Page:
            client = Client()
            client.force_login(person)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            size: Any = {"width": width, "height": height}
            context = browser.new_context(base_url=live_server.url, viewport=size)
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
            )
            opened = context.new_page()
            opened.on("pageerror", lambda error: errors.append(str(error)))
            opened.on("console", lambda line: line.type == "error" and errors.append(line.text))
            return opened

        yield open_as
        browser.close()
    assert errors == []


@pytest.fixture
def page(world: World, browse: Callable[..., Page]) -> Page:
    """The clerk's browser."""
    return browse(world.person(world.xinyi, Role.OPERATOR), height=720)
