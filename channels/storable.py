"""What others say, made so that every database keeps it."""

from typing import Any


def storable(said: Any) -> Any:
    """A channel's words without NUL characters and lone surrogates, which PostgreSQL refuses."""
    if isinstance(said, str):
        return said.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(said, dict):
        return {storable(str(name)): storable(value) for name, value in said.items()}
    if isinstance(said, list):
        return [storable(value) for value in said]
    return said
