"""Running a fake: in the test's own loop, in a thread beside it, or as a process."""

import argparse
import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import uvloop

from tests.fakes.wire import Connection, Fake


@contextlib.asynccontextmanager
async def serving(fake: Fake, port: int = 0) -> AsyncIterator[str]:
    """Serve in this loop; gives the URL."""
    open_ones: set[asyncio.Transport] = set()
    tasks: set[asyncio.Task[None]] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(fake, open_ones, tasks), "127.0.0.1", port, backlog=2048
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        for transport in tuple(open_ones):
            transport.abort()
        await asyncio.sleep(0)  # lets the transports close their sockets
        await server.wait_closed()


@contextlib.contextmanager
def in_thread(fake: Fake) -> Iterator[str]:
    """Serve in a thread, for tests that are not asynchronous; gives the URL."""
    started: list[tuple[str, asyncio.AbstractEventLoop]] = []
    ready, done = threading.Event(), asyncio.Event()

    async def run() -> None:
        async with serving(fake) as url:
            started.append((url, asyncio.get_running_loop()))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    ready.wait(5)
    url, loop = started[0]
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(5)


def port_argument(description: str) -> argparse.ArgumentParser:
    """A parser with what every fake's command line has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    return parser


def run_until_terminated(fake: Fake, port: int) -> None:
    """Serve as a process: prints `ready PORT`, ends in silence on SIGTERM."""

    async def run() -> None:
        done = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, done.set)
        async with serving(fake, port) as url:
            sys.stdout.write(f"ready {url.rpartition(':')[2]}\n")
            sys.stdout.flush()
            await done.wait()

    uvloop.run(run())
