"""A bar for long work, on standard error; only where a person looks on."""

import sys
from typing import IO

WIDTH = 30


class Bar:
    """`name [#####     ] 512 of 1000`; without an end only the number."""

    def __init__(self, name: str, total: int | None, out: IO[str] | None = None) -> None:
        self._name, self._total, self._done = name, total, 0
        self._out = sys.stderr if out is None else out
        self._is_shown = self._out.isatty()

    def __call__(self, more: int) -> None:
        """So much more is done."""
        self._done += more
        if self._is_shown:
            is_over = self._total is not None and self._done >= self._total
            self._out.write(f"\r{self._line()}{chr(10) if is_over else ''}")
            self._out.flush()

    def _line(self) -> str:
        if not self._total:
            return f"{self._name} {self._done}"
        filled = min(WIDTH, WIDTH * self._done // self._total)
        return f"{self._name} [{'#' * filled:<{WIDTH}}] {self._done} of {self._total}"


class Status:
    """One line that changes, on standard error; only where a person looks on."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._is_shown = self._out.isatty()

    def __call__(self, words: str) -> None:
        if self._is_shown:
            self._out.write(f"\r\033[K{words}")
            self._out.flush()

    def end(self) -> None:
        """Leave an empty line for what comes."""
        if self._is_shown:
            self._out.write("\r\033[K")
