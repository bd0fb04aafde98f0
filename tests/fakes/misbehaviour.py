"""How the fakes do wrong what they were told to, on the wire."""

import asyncio
import socket
import struct
from collections.abc import Callable

from tests.fakes.faults import Fault, FaultKind
from tests.fakes.wire import Answer, Request, json_answer

HUGE = 4 * 1024 * 1024
PAGE = b"<html><body>Sign in to the network</body></html>"


async def misbehave(
    request: Request,
    fault: Fault,
    *,
    accept: Callable[[], Answer],
    limited: Callable[[FaultKind], Answer],
    accepts_behind_html: bool = False,
) -> Answer | None:
    """Answer as the fault says. `accept` accepts the message and makes the usual answer."""
    match fault.kind:
        case FaultKind.ACCEPT_THEN_DROP:
            accept()
            return request.transport.close()
        case FaultKind.HANG_THEN_ACCEPT:
            await asyncio.sleep(fault.seconds)
            return accept()
        case FaultKind.HANG_NEVER_ACCEPT:
            await asyncio.sleep(fault.seconds)
            return request.transport.close()
        case FaultKind.ERROR_AFTER:
            accept()
            return json_answer({"message": "Internal server error"}, status=500)
        case FaultKind.ERROR_BEFORE:
            return json_answer({"message": "Internal server error"}, status=500)
        case FaultKind.RATE_LIMIT | FaultKind.MONTHLY_LIMIT:
            return limited(fault.kind)
        case FaultKind.RESET:
            return _reset(request)
        case FaultKind.SLOW_DRIP:
            return await _drip(request, accept(), fault.seconds)
        case FaultKind.HUGE_BODY:
            answer = accept()
            answer.body = b'{"padding":"' + b"x" * HUGE + b'"}'
            return answer
    if accepts_behind_html:
        accept()
    return Answer(200, PAGE, {"Content-Type": "text/html"})


def _reset(request: Request) -> None:
    """With a packet that says so, rather than an orderly end."""
    raw = request.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


async def _drip(request: Request, answer: Answer, seconds: float) -> None:
    request.transport.write(answer.head())
    for position in range(len(answer.body)):
        await asyncio.sleep(seconds / len(answer.body))
        if request.transport.is_closing():  # the client has had enough
            return
        request.transport.write(answer.body[position : position + 1])
