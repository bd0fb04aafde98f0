"""The wire: how long a request may take, how much of its answer is read, and what a failure on it
says about the message, in the words of `base`. Of a vendor that lives in our own database, the
database is the wire."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import aiohttp
from django.db import DatabaseError

from channels.adapters.base import later, refused, unknown

ANSWER_LIMIT = 64 * 1024  # bytes of an answer that are read


async def read_answer(response: aiohttp.ClientResponse) -> bytes:
    """The answer's body, up to ANSWER_LIMIT bytes; the rest is not read."""
    body = b""
    while len(body) < ANSWER_LIMIT:
        chunk = await response.content.read(ANSWER_LIMIT - len(body))
        body += chunk
        if not chunk or response.content.at_eof():
            break
    return body


@lru_cache(maxsize=1000)
def within(seconds: float) -> aiohttp.ClientTimeout:
    """A request's timeout. Connecting may take half of it and is then known to have failed;
    when the whole runs out, aiohttp cannot say how far the request had come."""
    return aiohttp.ClientTimeout(total=seconds, connect=seconds / 2)


@contextmanager
def wire_failures() -> Iterator[None]:
    """Say what aiohttp raises within in this module's words."""
    try:
        yield
    except NEVER_VALID as error:
        reason = getattr(error, "message", "The URL is not valid.")
        raise refused(str(reason)) from error
    except NOT_SENT as error:
        raise later(f"Could not connect: {_reason(error)}.") from error
    except MAYBE_SENT as error:
        raise unknown(f"Handed over, but no answer came: {_reason(error)}.") from error


@contextmanager
def database_failures(message: str) -> Iterator[None]:
    """Say that nobody knows, with this message, where the database fails within: it may have
    written before."""
    try:
        yield
    except DatabaseError as error:
        raise unknown(message) from error


def _reason(error: Exception) -> str:
    # Never the error's own text: it may hold the URL, and with it a tenant's secret.
    number = getattr(error, "errno", None)
    return os.strerror(number) if number and number > 0 else type(error).__name__


NEVER_VALID = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)
# What aiohttp raises before a byte of the request can have left. Everything else that it
# raises, and a timeout, may have come after the request arrived.
NOT_SENT = (
    aiohttp.ClientConnectorError,  # DNS, refused, TLS
    aiohttp.ConnectionTimeoutError,
)
MAYBE_SENT = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
