"""What the workers of one account share, where a vendor replaces its secrets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager


class SharedSecrets:
    """What a vendor replaces, as the workers of an account share it. This one shares nothing:
    the engine sets its own."""

    @asynccontextmanager
    async def alone(self, seconds: float) -> AsyncIterator[Mapping[str, str]]:
        """Within, for at most so long, no other worker renews. Gives the secrets by name as
        they are stored now; {} where they are not known. Raises SendError(LATER)."""
        yield {}

    async def store(self, values: Mapping[str, str]) -> None:
        """Store what was replaced, at once and for all; within `alone`."""
