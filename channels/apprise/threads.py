"""A thread for each call of Apprise, which blocks."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

from channels.apprise.call import Answer


class Threads:
    """So many at once. One that hangs holds its own place only, and not the loop's executor,
    where names are looked up for all channels."""

    def __init__(self, most: int) -> None:
        self._places = asyncio.Semaphore(most)

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """What the work comes to. Its place is free when it has ended, waited for or not."""
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[Answer] = loop.create_future()

        def settle(answer: Answer) -> None:
            self._places.release()
            if not coming.done():
                coming.set_result(answer)

        def go() -> None:
            answer = Answer(False)
            try:
                answer = work()
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is gone
                    loop.call_soon_threadsafe(settle, answer)

        threading.Thread(target=go, name="apprise", daemon=True).start()
        return await coming
