"""The inside of a backup: a tar, whose last file is the manifest."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import IO, NamedTuple

from config.backup.manifest import Manifest, Part
from config.backup.trouble import Trouble

MANIFEST = "manifest.json"
PIECE = 4 * 1024 * 1024  # bytes that are held at once


class Member(NamedTuple):
    """A file of the archive, to be read before the next one."""

    name: str
    file: IO[bytes]


class Writer:
    """Writes the parts of a backup one after the other, and notes their checksums."""

    def __init__(self, out: IO[bytes], manifest: Manifest) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._manifest = manifest

    def add(self, name: str, file: IO[bytes], size: int) -> None:
        """A file of this size. Raises Trouble where it ends before."""
        counted = Counted(file)
        try:
            self._put(name, counted, size)
        except OSError as error:
            if counted.size == size:
                raise
            raise Trouble(f"{name} became shorter while it was read. Start again.") from error
        self._manifest.parts[name] = Part(counted.sha256, size)

    def add_stream(self, name: str, pieces: Iterable[bytes]) -> None:
        """A file whose size is not known before its end: as numbered pieces."""
        held, number = bytearray(), 0
        for piece in pieces:
            held += piece
            if len(held) >= PIECE:
                self.add(f"{name}.{number:06}", BytesIO(bytes(held)), len(held))
                held, number = bytearray(), number + 1
        if held or not number:
            self.add(f"{name}.{number:06}", BytesIO(bytes(held)), len(held))

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        """End with the manifest, unless something has failed."""
        if kind is None:
            data = self._manifest.as_bytes()
            self._put(MANIFEST, BytesIO(data), len(data))
            self._tar.close()
        elif self._tar.fileobj is not None:
            with suppress(OSError):  # what it holds is let go, while there still is a pipe
                self._tar.fileobj.close()

    def _put(self, name: str, file: "IO[bytes] | Counted", size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        self._tar.addfile(entry, file)


def members(plain: IO[bytes]) -> Iterator[Member]:
    """The files in their order. Raises Trouble for what is no backup."""
    try:
        with tarfile.open(fileobj=plain, mode="r|") as tar:
            for entry in tar:
                file = tar.extractfile(entry)
                if file is None or entry.name.startswith("/") or ".." in entry.name.split("/"):
                    raise Trouble(f"“{entry.name}” does not belong into a backup.")
                yield Member(entry.name, file)
    except tarfile.TarError as error:
        raise Trouble("This is no backup of Teiji, or it is not whole.") from error


def checked(plain: IO[bytes]) -> Manifest:
    """Read all of it and compare each checksum. Raises Trouble."""
    found: dict[str, Part] = {}
    manifest: Manifest | None = None
    for name, file in members(plain):
        if name == MANIFEST:
            manifest = Manifest.read(file.read())
            continue
        counted = Counted(file)
        while counted.read(PIECE):
            pass
        found[name] = Part(counted.sha256, counted.size)
    if manifest is None:
        raise Trouble("The backup has no manifest: it is not whole.")
    if manifest.parts != found:
        wrong = sorted(n for n in manifest.parts.keys() | found if
                       manifest.parts.get(n) != found.get(n))  # fmt: skip
        raise Trouble(f"The backup is damaged: {wrong[0]} is not what was written.")
    return manifest


class Counted:
    """A file that knows what was read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self.size = file, hashlib.sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        self.size += len(data)
        return data

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()
