"""The floor: the same requests by the same client, from memory, with nothing else to do.

`python -m config.bench.floor URL COUNT IN_FLIGHT START` sends COUNT pushes to the fake at URL,
beginning at START (seconds since 1970).
"""

import asyncio
import json
import sys
import time
from itertools import count as numbers
from uuid import uuid4

import aiohttp

from config.bench.world import ACCESS_TOKEN

MESSAGES = [{"type": "text", "text": "定時 09:00"}]


async def main(url: str, count: int, in_flight: int, start: float) -> None:
    """Send them, at most `in_flight` at a time."""
    requests = [
        (json.dumps({"to": f"C{uuid4().hex}", "messages": MESSAGES}).encode(), str(uuid4()))
        for _ in range(count)
    ]
    taken = numbers()
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=in_flight)

    async def sender(session: aiohttp.ClientSession) -> None:
        while (number := next(taken)) < count:
            body, key = requests[number]
            headers = {
                "Authorization": f"Bearer {ACCESS_TOKEN}",
                "Content-Type": "application/json",
                "X-Line-Retry-Key": key,
            }
            async with session.post(
                f"{url}/v2/bot/message/push", data=body, headers=headers
            ) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.sleep(max(start - time.time(), 0))
        await asyncio.gather(*(sender(session) for _ in range(in_flight)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
