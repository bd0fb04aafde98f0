"""A clerk of xinyi at the registration form, and the steps as they are posted."""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image as Pillow

from orgs.models import User
from schedules.models import Schedule
from tests.conftest import World

SCHEDULES = "/admin/schedules/schedule/"


@pytest.fixture
def desk(client: Client, clerk: User, settings: Any, tmp_path: Path) -> Client:
    """The clerk's browser."""
    settings.MEDIA_ROOT = tmp_path
    client.force_login(clerk)
    return client


@pytest.fixture
def draft(make_schedule: Callable[..., Schedule], clerk: User) -> Schedule:
    """A draft that could be registered as it is."""
    return make_schedule(registered_by=clerk)


def address(draft: Schedule, step: str) -> str:
    return f"{SCHEDULES}{draft.pk}/register/{step}/"


def new_address() -> str:
    return f"{SCHEDULES}add/{uuid4()}/"


def marks(response: HttpResponse) -> dict[str, str]:
    """The hidden fields by which a page says what it was made from."""
    html = response.content.decode()
    found = re.findall(r'name="(revision|seen)" value="([^"]*)"', html)
    return dict(found)


def open_step(desk: Client, draft: Schedule, step: str) -> dict[str, str]:
    return marks(desk.get(address(draft, step)))


TIMING = {
    "timing_kind": "weekly",
    "zone": "Asia/Taipei",
    "time": "09:30",
    "weekdays": ["0", "4"],
    "short_month": "last_day",
    "priority": "50",
    "max_retries": "4",
}
CONTENT = {"text": "Hello", "order": "text_first", "interval_seconds": "0"}


def target(world: World, **values: Any) -> dict[str, Any]:
    """The first step as its page posts it."""
    rooms = [world.room.pk]
    start = {"revision": "0", "unit": world.xinyi.pk, "kind": "live"}
    return start | {"title": "Notice", "rooms": rooms} | values


def picture(name: str = "menu.png", shade: int = 0) -> SimpleUploadedFile:
    buffer = BytesIO()
    Pillow.new("RGB", (40, 30), (shade, 80, 120)).save(buffer, "PNG")
    return SimpleUploadedFile(name, buffer.getvalue(), "image/png")
