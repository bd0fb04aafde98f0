"""The folder broker: messages appear whole."""

from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection


@pytest.fixture
def channel(tmp_path: Path):
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path),
               "control_folder": str(tmp_path / "control")}  # fmt: skip
    connection = Connection(transport="config.broker:Transport", transport_options=options)
    yield connection.default_channel
    connection.release()


def test_what_is_put_can_be_got_once(channel, tmp_path):
    channel._put("celery", {"tick": 1})
    assert channel._get("celery") == {"tick": 1}
    with pytest.raises(Empty):
        channel._get("celery")
    assert list(tmp_path.glob("*.unfinished")) == []


def test_half_a_message_is_no_message(channel, tmp_path):
    (tmp_path / "1_x.celery.msg").write_text('{"tick":')
    with pytest.raises(Empty):
        channel._get("celery")
