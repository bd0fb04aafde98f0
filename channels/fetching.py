"""Fetching: one of our own public links, as a channel that fetches images does it."""

import aiohttp

from channels.adapters.base import (
    refused,
)
from channels.adapters.wire import wire_failures, within

SECONDS = 5.0
SUCCESS = 200
CHUNK = 64 * 1024


async def fetch(http: aiohttp.ClientSession, url: str) -> None:
    """Raises SendError: REFUSED where anybody would get no image there, else it is not known, as
    where this machine does not reach its own public name."""
    with wire_failures():
        try:
            async with http.get(url, timeout=within(SECONDS), allow_redirects=False) as answer:
                if answer.status != SUCCESS:
                    raise refused(f"HTTP {answer.status}", status=answer.status)
                if not answer.content_type.startswith("image/"):
                    raise refused(f"It is no image but {answer.content_type}.")
                async for _chunk in answer.content.iter_chunked(CHUNK):
                    pass  # whatever it is, however large: none of it is kept
        except aiohttp.ClientConnectorCertificateError as error:
            raise refused("The certificate of the public address does not hold.") from error
