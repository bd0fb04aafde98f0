"""Pictures: whether the images of a run can be had as its channels get them, by links that are
open for this alone. A run's own links open later, and are never shown to be dead."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import aiohttp

from channels.adapters.base import Failure, SendError, later, refused
from channels.fetching import fetch
from channels.http import open_session
from channels.media import public_url, read_linked
from channels.models import Account, MediaLink
from schedules.dispatch.preflight.look import Flight

OPEN = timedelta(minutes=2)  # far longer than a turn takes
DEADLINE = 5.0  # seconds for one file of the storage
LONGEST = 20.0  # seconds for all of a turn


def open_links(flights: Iterable[Flight], now: datetime) -> list[MediaLink]:
    """One for each file that these would send."""
    links = {
        (link.image_id, link.rendition): link
        for flight in flights
        for link in (flight.frozen.links if flight.frozen and flight.accounts else ())
        if flight.schedule.content.sent_images
    }
    for link in links.values():
        link.active_from, link.active_until = now - OPEN, now + OPEN
    return MediaLink.objects.bulk_create(links.values())


def close_links(links: Sequence[MediaLink]) -> None:
    MediaLink.objects.filter(token__in=[link.token for link in links]).delete()


class Pictures:
    """Those of one turn. Each file is got once in each way: from outside by its address, for
    channels that fetch; from the storage, for channels that are given the bytes."""

    def __init__(self, links: Sequence[MediaLink]) -> None:
        self._links = links
        self._errors: dict[tuple[int, bool], SendError | None] = {}
        self._doubt: SendError | None = None  # after it nothing more is got

    async def get(self, flights: Iterable[Flight]) -> None:
        """Get what these would send."""
        wanted = {
            (image.id, account.adapter_class.fetches_images)
            for flight in flights
            for account in flight.accounts.values()
            for image in flight.schedule.content.sent_images
        }
        end = asyncio.get_running_loop().time() + LONGEST
        async with open_session(guarded=False) as http:
            for link in self._links:
                for way in (True, False):
                    if (link.image_id, way) in wanted and not self.error(link.image_id, way):
                        self._errors[link.image_id, way] = await self._get(http, link, way, end)

    def error_for(self, account: Account, image_id: int) -> SendError | None:
        """Why this account's channel would not get it; None where it would."""
        return self.error(image_id, account.adapter_class.fetches_images)

    def error(self, image_id: int, by_address: bool) -> SendError | None:
        return self._errors.get((image_id, by_address))

    async def _get(
        self, http: aiohttp.ClientSession, link: MediaLink, by_address: bool, end: float
    ) -> SendError | None:
        if asyncio.get_running_loop().time() > end:
            self._doubt = later("There was no time left to fetch it.")
        if self._doubt is None:
            try:
                await (_fetch(http, link) if by_address else _read(link))
            except SendError as error:
                if error.failure is Failure.REFUSED:
                    return error
                self._doubt = error
        return self._doubt


async def _fetch(http: aiohttp.ClientSession, link: MediaLink) -> None:
    await fetch(http, public_url(link))


async def _read(link: MediaLink) -> None:
    try:
        async with asyncio.timeout(DEADLINE):
            await read_linked(public_url(link))
    except LookupError as error:
        raise refused("It is not in the storage.") from error
    except (OSError, TimeoutError) as error:
        raise later("The storage does not answer.") from error
