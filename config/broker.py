"""The folder broker of a trial installation: kombu's, with messages that appear whole.

kombu writes a message in place, so that a reader may find half of one, and the worker that does
ends itself. Here a message gets its name only when it is complete.
"""

import os
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Puts by renaming, and passes over what is no message."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{monotonic_ns() // 1_000_000}_{uuid4()}"
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_text(dumps(payload))
        os.replace(unfinished, folder / f"{name}.{queue}.msg")  # noqa: PTH105

    def _get(self, queue: str, timeout: Any = None) -> Any:
        try:
            return super()._get(queue)
        except ValueError as error:
            raise Empty from error  # left by a process that died while it wrote


class Transport(filesystem.Transport):
    """Named by settings.CELERY_BROKER_TRANSPORT."""

    Channel = Channel
