"""The floor: the same requests by the same client, from memory, with nothing else to do.

`python -m config.bench.floor URL COUNT IN_FLIGHT GATE` makes COUNT pushes for the fake at URL,
says that it is ready, and begins at the time (seconds since 1970) that the file GATE will hold.
"""

import asyncio
import sys
import time
from itertools import count as numbers
from pathlib import Path
from uuid import uuid4

import aiohttp

from config.bench.peers.message import PATH, body, headers
from schedules.dispatch.events import run

READY = "The floor is ready."
GATE_EVERY = 0.1


async def main(url: str, count: int, in_flight: int, gate: Path) -> None:
    """Send them, at most `in_flight` at a time."""
    requests = [(body(f"C{uuid4().hex}"), headers()) for _ in range(count)]
    taken = numbers()
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=in_flight)

    async def sender(session: aiohttp.ClientSession) -> None:
        while (number := next(taken)) < count:
            data, head = requests[number]
            async with session.post(url + PATH, data=data, headers=head) as answer:
                await answer.read()

    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    async with aiohttp.ClientSession(connector=connector) as session:
        while not gate.exists():
            await asyncio.sleep(GATE_EVERY)
        await asyncio.sleep(max(float(gate.read_text()) - time.time(), 0))
        await asyncio.gather(*(sender(session) for _ in range(in_flight)))
        await asyncio.Event().wait()  # to be ended: what it used can be asked only while it lives


if __name__ == "__main__":
    run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
