"""What this machine knows of the databases that it has worked for: outside of them, so that it
is not set back with one of them. A small file for each; the workers of a machine share them."""

import contextlib
import json
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """`generation`: the highest that was seen here, None for a database that is new here.
    `knows_others`: it has worked for another one. `is_copied`: the file itself was put here."""

    generation: int | None = None
    knows_others: bool = False
    is_copied: bool = False


def recall(uid: UUID) -> Known:
    """What is known of the database with this identity."""
    path = _path(uid)
    try:
        with path.open() as file:
            said = json.load(file)
            # Of the open file: by its name another worker's newer one could be found.
            copied = said["inode"] != os.fstat(file.fileno()).st_ino
        return Known(generation=int(said["generation"]), is_copied=copied)
    except (OSError, ValueError, KeyError, TypeError):
        # An unreadable file says as little as none.
        return Known(knows_others=any(other != path for other in path.parent.glob("*.json")))


def remember(uid: UUID, generation: int) -> None:
    """Note how far this database has come. A folder that cannot be written is only said: the
    rest of the fence stands without it."""
    path = _path(uid)
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(exist_ok=True)
        with draft.open("w") as file:
            # Its own number on the disk: a copy of the file has another.
            inode = os.fstat(file.fileno()).st_ino
            json.dump({"generation": generation, "inode": inode}, file)
        draft.replace(path)
    except OSError as error:
        logger.warning("%s cannot be written: %s", path, error)
        with contextlib.suppress(OSError):
            draft.unlink()


def _path(uid: UUID) -> Path:
    return Path(settings.TEIJI_DATA_DIR) / "installations" / f"{uid}.json"
