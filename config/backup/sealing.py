"""The outside of a backup: the age format, encrypted and authenticated piece by piece.

`age --decrypt --identity KEYFILE backup.age | tar --extract` opens it without Teiji.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Any, Protocol

import pyrage

from config.backup.trouble import Trouble

PREFIX = "AGE-SECRET-KEY-"


@dataclass(frozen=True)
class Key:
    """Seals and opens."""

    identity: Any


def new_key(path: Path) -> str:
    """Write a new key; returns what may be known of it. Raises FileExistsError."""
    key = pyrage.x25519.Identity.generate()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(f"# Opens the backups of Teiji. Keep it apart from them.\n{key}\n")
    return str(key.to_public())


def read_key(text: str) -> Key:
    """The key in a key file's text. Raises Trouble."""
    for line in text.splitlines():
        if line.strip().startswith(PREFIX):
            try:
                return Key(pyrage.x25519.Identity.from_str(line.strip()))
            except pyrage.IdentityError as error:
                raise Trouble("The key is damaged: it is not as it was made.") from error
    raise Trouble(f"There is no key: a line that begins with {PREFIX}. Make one with --new-key.")


@contextmanager
def sealed(out: IO[bytes], key: Key) -> Iterator[IO[bytes]]:
    """What is written to it stands encrypted in `out`."""
    read_end, write_end = os.pipe()

    def seal() -> None:
        with os.fdopen(read_end, "rb") as plain:
            pyrage.encrypt_io(plain, out, [key.identity.to_public()])

    with _beside(seal), os.fdopen(write_end, "wb") as plain:
        yield plain


class Readable(Protocol):
    """As much of a file as is needed to open it."""

    def read(self, size: int = -1, /) -> bytes: ...


@contextmanager
def opened(file: Readable, key: Key) -> Iterator[IO[bytes]]:
    """What is read from it was encrypted. Ends with Trouble where the file is damaged, is not
    whole, or was sealed with another key: what was read until then is not to be trusted."""
    read_end, write_end = os.pipe()

    def unseal() -> None:
        with os.fdopen(write_end, "wb") as plain:
            pyrage.decrypt_io(file, plain, [key.identity])

    with _beside(unseal), os.fdopen(read_end, "rb") as plain:
        yield plain
        while plain.read(1024 * 1024):
            pass  # to the end, where a file that was cut off is known


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[None]:
    """Work in a thread beside the block. What went wrong there is the reason for what did here."""
    failures: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            failures.append(error)

    thread = Thread(target=run, name="sealing", daemon=True)
    thread.start()
    try:
        yield
    except Exception as error:
        thread.join()
        if failures and not isinstance(failures[0], BrokenPipeError):
            raise _trouble(failures[0]) from error
        raise
    thread.join()
    if failures:
        raise _trouble(failures[0]) from failures[0]


def _trouble(error: Exception) -> Exception:
    if isinstance(error, pyrage.DecryptError):
        return Trouble("This is no backup, or it was sealed with another key.")
    if isinstance(error, OSError) and error.errno is None:
        return Trouble("The backup is damaged, or not whole.")
    return error
