"""The folders that a backup holds beside the database, by their names in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

MEDIA, ARCHIVE = "media/", "archive/"


class File(NamedTuple):
    """A file, and its name in the backup."""

    path: Path
    name: str


def folders() -> dict[str, Path]:
    """Images, and the archive of the send log."""
    return {MEDIA: Path(settings.MEDIA_ROOT), ARCHIVE: Path(settings.TEIJI_ARCHIVE_ROOT)}


def files() -> Iterator[File]:
    """All that is in them."""
    for name, root in folders().items():
        for path in sorted(root.rglob("*")):
            if path.is_file():
                yield File(path, name + path.relative_to(root).as_posix())


def place_of(name: str) -> Path | None:
    """Where a file of the backup goes; None: it is of no folder."""
    for folder, root in folders().items():
        if name.startswith(folder):
            return root / name.removeprefix(folder)
    return None
