"""What the examples of docs/api.md find where they are run."""

import pytest

from orgs.models import Token
from tests.schedules.conftest import doubtful, line_account  # noqa: F401 - fixtures


@pytest.fixture
def surroundings(world, live_server, monkeypatch):
    """What they read from the environment."""
    _token, key = Token.issue(user=world.people["xinyi"], name="docs", scopes=["read", "write"])
    values = {
        "TEIJI": live_server.url + "/api/v1",
        "TOKEN": key,
        "ROOM": str(world.room.pk),
        "LC_ALL": "C.UTF-8",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values
