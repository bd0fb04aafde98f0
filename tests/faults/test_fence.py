"""The fence stays down while its database is the true one, whoever else looks at the same time."""

import pytest

from schedules.dispatch.fence import Fence, seen
from schedules.models import Installation

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_look_of_another_thread_in_between_is_no_restored_database(
    settings, tmp_path, monkeypatch
):
    settings.TEIJI_DATA_DIR = tmp_path
    # A worker has two: its loop's, and that of the tick which Celery runs beside it.
    mine, other = Fence(), Fence()
    monkeypatch.setattr(seen, "uid", None)
    assert not mine.look()
    row = Installation.objects.get()
    read = mine._read

    def read_while_the_other_raises():
        clocks = read()
        Installation.objects.update(generation=row.generation + 1)
        assert not other.look()
        return clocks

    monkeypatch.setattr(mine, "_read", read_while_the_other_raises)
    assert not mine.look(), Installation.objects.values("reason", "detail").get()
    assert Installation.objects.get().fenced_at is None
