"""The contract's stage: an adapter before its fake, and what comes of a send."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

from channels.adapters import registry
from channels.adapters.base import Adapter, Receipt, SendError, Target, Text
from channels.http import open_session
from channels.outgoing import networks
from tests.channels.adapters.cases import Case
from tests.fakes.faults import FaultKind
from tests.fakes.serving import serving
from tests.fakes.wire import Fake

LOOPBACK = networks(["127.0.0.0/8"])
# Seconds for a send, all its requests together, on a machine with much else to do; and for how
# long a channel that hangs does so.
TIMEOUT, HANGS = 0.6, 0.9


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


@asynccontextmanager
async def wire(case: Case, fake: Fake | None = None) -> AsyncIterator[tuple[Any, Adapter]]:
    """The case's adapter before its fake, or before this one."""
    fake = fake or case.make_fake()
    async with serving(fake) as url, session(case) as http:
        with case.standing_in(fake, url):
            yield fake, case.make_adapter(url, http)


def session(case: Case) -> Any:
    guarded = registry()[case.kind].guarded
    return cast(Any, open_session(guarded=guarded, allowed=LOOPBACK))


async def send(
    case: Case, adapter: Adapter, key: UUID, to: Target | None = None
) -> Receipt | SendError:
    """One text, to the case's room or to these."""
    [part] = adapter.pack([Text("one")], spaced=False)
    try:
        return await adapter.send(to or case.target, part.payload, key)
    except SendError as error:
        assert str(error)
        return error


def add_fault(fake: Any, adapter: Adapter, fault: FaultKind) -> None:
    """Let the next request go wrong; who would wait for long is given little time."""
    fake.faults.add(fault, seconds=HANGS)
    if "hang" in fault or "drip" in fault:
        adapter.timeout = TIMEOUT


def logged(case: Case, *keys: UUID) -> list[str]:
    """What a fake logs of these keys: nothing where the requests carry none."""
    return sorted(str(key) if case.carries_key else "" for key in keys)


def reached(fake: Any) -> Counter[str]:
    """How often each person was reached."""
    people = (entry.to if isinstance(entry.to, list) else [entry.to] for entry in fake.log)
    return Counter(person for some in people for person in some)
