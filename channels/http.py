"""HTTP to the channels: how sessions are made, and how an account becomes an adapter."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp import ClientRequest, ClientResponse
from aiohttp.connector import Connection
from django.conf import settings
from yarl import URL

from channels.adapters import adapter_class
from channels.adapters.base import Adapter
from channels.outgoing import Guard, Network, networks

# As many requests of one account in flight as were measured to serve LINE best. The sender holds
# each account to it: all accounts of a vendor are behind one host, and share no other limit.
CONNECTIONS_PER_ACCOUNT = 300
DNS_SECONDS = 10
CONNECT_SECONDS = 5.0  # for what is opened ahead
# A lid only: every adapter gives each request a shorter timeout of its own.
LONGEST_REQUEST = aiohttp.ClientTimeout(total=60)

# Hosts that the operator may point elsewhere, by the kind of the adapter that calls them.
HOST_SETTINGS = {
    "line": "TEIJI_LINE_API_HOST",
    "kakao": "TEIJI_KAKAO_API_HOST",
    "solapi": "TEIJI_SOLAPI_API_HOST",
}


# What is called whenever a request of this task leaves.
on_leaving: ContextVar[Callable[[], None] | None] = ContextVar("on_leaving", default=None)


class TellingRequest(ClientRequest):
    """Tells when it leaves: until then it may have waited for a token or for its connection."""

    async def send(self, conn: Connection) -> ClientResponse:
        if tell := on_leaving.get():
            tell()
        return await super().send(conn)


def open_session(*, guarded: bool, allowed: Sequence[Network] = ()) -> aiohttp.ClientSession:
    """A session for accounts of one sort. Needs a running loop; the caller closes it.

    `guarded` is what the adapter says: tenants choose the host, so only public addresses
    and `allowed` ones are called. It also gives each request a connection of its own: a kept
    one that the receiver closed meanwhile looks like an answer that was lost.
    """
    guard = Guard(allowed) if guarded else None
    connector = aiohttp.TCPConnector(
        limit=0,
        resolver=guard.resolver if guard else aiohttp.ThreadedResolver(),
        ttl_dns_cache=DNS_SECONDS,
        force_close=guarded,
    )
    return aiohttp.ClientSession(
        connector=connector,
        request_class=TellingRequest,
        middlewares=[guard] if guard else [],
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        timeout=LONGEST_REQUEST,
        # Answers are small: what is compressed is not ours, or a bomb.
        auto_decompress=False,
        headers={"Accept-Encoding": "identity", "User-Agent": "Teiji"},
    )


async def open_connections(http: aiohttp.ClientSession, url: str, count: int) -> None:
    """See that so many connections to this host are open and free, for requests that come soon.
    None is kept from others for longer than it takes to be opened. Raises what connecting does.
    """
    assert http.connector is not None, "the session is open"
    connector, request = http.connector, ClientRequest("POST", URL(url))
    limit = aiohttp.ClientTimeout(total=LONGEST_REQUEST.total, connect=CONNECT_SECONDS)

    async def open_one() -> None:
        connection = await connector.connect(request, [], limit)
        # One that was open is given back when the others have begun, or they would take it.
        await asyncio.sleep(0)
        connection.release()

    await asyncio.gather(*(open_one() for _number in range(count)))


def allowed_networks() -> tuple[Network, ...]:
    """What the operator lets guarded sessions reach although it is not public."""
    return networks(settings.TEIJI_OUTGOING_ALLOW)


def open_adapter(
    kind: str,
    values: dict[str, Any],
    http: aiohttp.ClientSession | None = None,
    *,
    account_id: int = 0,
) -> Adapter:
    """The adapter of an account with these settings. Raises KeyError for an unknown kind."""
    found = adapter_class(kind)
    adapter = found(found.config_class.load(values), http, account_id=account_id)
    if kind in HOST_SETTINGS:
        adapter.host = getattr(settings, HOST_SETTINGS[kind])
    return adapter
