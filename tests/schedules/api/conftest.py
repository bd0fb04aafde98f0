"""A caller for each who matters, and the body of a schedule."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orgs.reach import Role
from tests.conftest import World
from tests.schedules.api.calling import Caller, caller


@pytest.fixture
def api(world: World) -> Caller:
    """An operator of xinyi."""
    return caller(world.person(world.xinyi, Role.OPERATOR))


@pytest.fixture
def body(world: World) -> Callable[..., dict[str, Any]]:
    """What registers a schedule: tomorrow at nine in Taipei; any field can be given."""

    def build(**values: Any) -> dict[str, Any]:
        tomorrow = datetime.now(UTC) + timedelta(days=2)
        return {
            "title": "Sale",
            "rooms": [world.room.pk],
            "text": "Everything must go",
            "timing_kind": "once",
            "date": tomorrow.date().isoformat(),
            "time": "09:00",
        } | values

    return build
