"""What a worker's event loop needs of its system."""

import pytest

from schedules.dispatch.events import run

resource = pytest.importorskip("resource")


def test_a_worker_may_have_a_file_for_each_message_under_way(settings):
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    settings.TEIJI_IN_FLIGHT = 500

    async def how_many() -> int:
        return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, usual[1]))
    try:
        assert run(how_many()) == 1500
        settings.TEIJI_IN_FLIGHT = 10
        assert run(how_many()) == 1500  # never fewer than there were
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
