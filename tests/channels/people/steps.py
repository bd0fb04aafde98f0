"""Long steps, carried out to their end."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def done(steps: Generator[int, None, T]) -> T:
    """What comes of these steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
