"""A month's file: gzip members one after the other, so that `zcat` reads it as a whole and Teiji
one member alone. Beside it a manifest with checksums."""

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings

from schedules.archive.trouble import Trouble

PIECE = 1024 * 1024  # bytes that are read at once
LEVEL = 6


class Place(NamedTuple):
    """A member of a month's file; its SHA-256 in hex."""

    starts_at: int
    length: int
    digest: str


def path_of(month: date) -> Path:
    """The file of this month."""
    return Path(settings.TEIJI_ARCHIVE_ROOT) / f"{month:%Y-%m}.jsonl.gz"


def manifest_of(month: date) -> Path:
    """Its manifest."""
    return Path(settings.TEIJI_ARCHIVE_ROOT) / f"{month:%Y-%m}.manifest.json"


def append(month: date, end: int, lines: Iterable[bytes]) -> Place:
    """Write a member behind the first `end` bytes of the file; whatever lay there goes. It is on
    the disk when this returns. Raises Trouble where the file is shorter than that."""
    path = path_of(month)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("r+b" if path.exists() else "x+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size < end:
            raise Trouble(_too_short(path, size, end))
        file.truncate(end)
        file.seek(end)
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=LEVEL, mtime=0) as member:
            for line in lines:
                member.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
        length = file.tell() - end
        file.seek(end)
        digest = hashlib.sha256()
        for piece in _pieces(file, length):
            digest.update(piece)
    if not end:
        _sync_folder(path.parent)
    return Place(end, length, digest.hexdigest())


def read(month: date, place: Place) -> Iterator[bytes]:
    """The lines of one member. Raises Trouble where they are not what was written."""
    path = path_of(month)
    problem = problem_with(month, place)
    if problem:
        raise Trouble(problem)
    with path.open("rb") as file:
        file.seek(place.starts_at)
        part: Any = _Part(file, place.length)
        with gzip.GzipFile(fileobj=part, mode="rb") as member:
            for line in member:
                yield line.rstrip(b"\n")


def problem_with(month: date, place: Place) -> str:
    """Why this member cannot be trusted; "": it is what was written."""
    path = path_of(month)
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            file.seek(place.starts_at)
            for piece in _pieces(file, place.length):
                digest.update(piece)
    except FileNotFoundError:
        return f"There is no file {path}. Put it back from a backup."
    except OSError as error:
        return f"{path} cannot be read: {os.strerror(error.errno or 0)}."
    if digest.hexdigest() == place.digest:
        return ""
    return f"{path} is not what was written, from byte {place.starts_at} on. Put a backup in place."


def write_manifest(month: date, facts: dict[str, Any]) -> None:
    """Say what is in the month's file, with the file's own checksum. Replaced as a whole."""
    path, manifest = path_of(month), manifest_of(month)
    text = json.dumps({"file": path.name, **facts, "sha256": digest_of(path)}, indent=2)
    unfinished = manifest.with_suffix(".unfinished")
    with unfinished.open("w") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(manifest)


def digest_of(path: Path) -> str:
    """The SHA-256, in hex, of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(month: date) -> None:
    """The file and its manifest; whatever is there of them."""
    for path in (path_of(month), manifest_of(month)):
        path.unlink(missing_ok=True)


def _pieces(file: IO[bytes], length: int) -> Iterator[bytes]:
    while length and (piece := file.read(min(length, PIECE))):
        length -= len(piece)
        yield piece


def _too_short(path: Path, size: int, end: int) -> str:
    words = f"{path} has {size} bytes, and the database knows of {end}."
    return f"{words} Put the file back from a backup; nothing was moved."


def _sync_folder(folder: Path) -> None:
    """So that a new file's name is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Part:
    """A file that ends where a member does."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file, self._left = file, length

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        return data
