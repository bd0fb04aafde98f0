"""Ask: what only the channels know of a run. Few questions, however many rooms it has: an account
is asked once a turn, of its rooms some, and nothing more of one that does not answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from channels.adapters.base import Adapter, SendError, later
from channels.models import Account, Room
from schedules.dispatch.preflight.look import Flight
from schedules.dispatch.preflight.pictures import Pictures
from schedules.dispatch.questions import finding_of, is_certain, put
from schedules.dispatch.samples import Sample, samples
from schedules.dispatch.send import Senders
from schedules.findings import What, named

AT_ONCE = 10  # questions under way: sending has the wire to itself
DEADLINE = 5.0  # seconds for one answer
LONGEST = 40.0  # seconds for all of a turn
ROOMS_ASKED = 50  # of one run and account, those first that were not asked for the longest time
PAYLOADS_ASKED = 3  # of one run and account

NEVER = datetime.min.replace(tzinfo=UTC)


class Inquiry:
    """The questions of one turn. `people`: how many each room has that was asked."""

    def __init__(self, senders: Senders, pictures: Pictures) -> None:
        self.people: list[tuple[int, int | None]] = []
        self._senders, self._pictures = senders, pictures
        self._places = asyncio.Semaphore(AT_ONCE)
        self._ends_at = asyncio.get_running_loop().time() + LONGEST
        self._silent: dict[int, SendError] = {}  # accounts that did not answer
        self._rooms: dict[int, asyncio.Future[SendError | None]] = {}

    async def ask(self, flights: Iterable[Flight]) -> None:
        """Ask all that is to be asked of these, and add to them what was found."""
        flights = [flight for flight in flights if flight.accounts]
        accounts = {pk: account for f in flights for pk, account in f.accounts.items()}
        await self._pictures.get(flights)
        errors = await asyncio.gather(*(self._check(account) for account in accounts.values()))
        refusals = dict(zip(accounts, errors, strict=True))
        pairs = [(flight, account) for flight in flights for account in flight.accounts.values()]
        await asyncio.gather(
            *(self._ask_of(flight, account, refusals[account.pk]) for flight, account in pairs)
        )

    async def _ask_of(self, flight: Flight, account: Account, refusal: SendError | None) -> None:
        if refusal:
            flight.add(finding_of(account, refusal, What.CREDENTIALS, part="credentials"))
            return
        await self._ask_message(flight, account)
        await self._ask_rooms(flight, account)
        for image in flight.schedule.content.sent_images:
            if error := self._pictures.error_for(account, image.id):
                why = finding_of(account, error, What.IMAGE, part="images", image=image.name)
                flight.add(why)

    async def _check(self, account: Account) -> SendError | None:
        _none, error = await self._put(account, lambda adapter: adapter.check())
        return error

    async def _ask_message(self, flight: Flight, account: Account) -> None:
        if flight.frozen is None or not account.adapter_class.can_be_validated():
            return
        found = samples(flight.frozen, account, flight.rooms, member=flight.member)
        for sample in islice(found, PAYLOADS_ASKED):
            if error := await self._validate(sample):
                for fault in sample.faults(error):
                    flight.add(finding_of(account, error, What.REFUSED, part="message", **fault))
                return

    async def _validate(self, sample: Sample) -> SendError | None:
        _none, error = await self._put(
            sample.account, lambda adapter: adapter.validate(sample.target, sample.payload)
        )
        return error

    async def _ask_rooms(self, flight: Flight, account: Account) -> None:
        """Only channels that bill can say: of the others none is asked (Adapter.size)."""
        mine = [room for room in flight.rooms if room.account_id == account.pk]
        if not account.meters:
            return
        mine.sort(key=lambda room: (room.members_read_at or NEVER, room.pk))
        asked = mine[:ROOMS_ASKED]
        if len(asked) < len(mine):
            flight.find(What.SAMPLE, asked=len(asked), count=len(mine))
        errors = await asyncio.gather(*(self._ask_room(room) for room in asked))
        gone = [room.name for room, error in zip(asked, errors, strict=True) if _is_left(error)]
        if gone:
            flight.find(What.LEFT, **named(gone))
        for error in errors:
            if error and not _is_left(error):
                flight.add(finding_of(account, error, What.CREDENTIALS, part="rooms"))

    async def _ask_room(self, room: Room) -> SendError | None:
        """Once a turn, however many runs go to it."""
        if room.pk not in self._rooms:
            self._rooms[room.pk] = asyncio.ensure_future(self._size(room))
        return await self._rooms[room.pk]

    async def _size(self, room: Room) -> SendError | None:
        people, error = await self._put(room.account, lambda adapter: adapter.size(room.address))
        if error is None:
            self.people.append((room.pk, people))
        return error

    async def _put(
        self, account: Account, question: Callable[[Adapter], Awaitable[Any]]
    ) -> tuple[Any, SendError | None]:
        async with self._places:
            if error := self._silent.get(account.pk):
                return None, error
            left = self._ends_at - asyncio.get_running_loop().time()
            if left <= 0:
                return None, later("There was no time left to ask.")
            seconds = min(DEADLINE, left)
            answer, error = await put(account, self._senders, question, seconds=seconds)
        if error and not is_certain(error):
            self._silent.setdefault(account.pk, error)
        return answer, error


def _is_left(error: SendError | None) -> bool:
    return error is not None and is_certain(error) and not error.account_wide
