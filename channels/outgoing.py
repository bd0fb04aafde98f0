"""The one rule for URLs that tenants give us: what we call must be a public host.

`check_url` is for the moment of saving, `Guard` for every connection: it holds whatever was
saved, whatever the name resolves to by then, and for literal addresses too.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.utils.translation import gettext_lazy as _
from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class UnsafeUrl(aiohttp.InvalidURL):
    """A URL that we do not call. A ValueError; `message` is translatable and names no URL."""

    def __init__(self, message: Any) -> None:
        super().__init__("")
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


def networks(values: Iterable[str]) -> tuple[Network, ...]:
    """The networks of settings.TEIJI_OUTGOING_ALLOW. Raises ValueError for what is none."""
    return tuple(ip_network(value.strip()) for value in values)


def check_url(
    url: str,
    allowed: Sequence[Network] = (),
    *,
    lookup: Callable[[str], Iterable[str]] | None = None,
) -> None:
    """Raise UnsafeUrl unless the URL leads to public addresses only. Asks the DNS."""
    parsed, literal = _parsed(url)
    if parsed.user is not None or parsed.password is not None:
        raise UnsafeUrl(_("A URL may not contain a user name or a password."))
    found = [literal] if literal else _looked_up(parsed.host or "", lookup or _system_lookup)
    _check_addresses(parsed.scheme, found, allowed)


class Guard:
    """The rule as an aiohttp client middleware; together with its resolver it is complete.

    The middleware sees the scheme and literal addresses, which skip resolvers; the resolver
    sees the addresses of names and passes on only what it checked, so that the connection
    goes to that address and a name that changes its mind in between gains nothing.
    """

    def __init__(
        self, allowed: Sequence[Network] = (), resolver: AbstractResolver | None = None
    ) -> None:
        self.allowed = allowed
        self.resolver = GuardedResolver(allowed, resolver)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        url, literal = _parsed(request.url)
        if literal:
            _check_addresses(url.scheme, [literal], self.allowed)
        elif url.scheme != "https":
            results = await self.resolver.resolve(url.host or "", url.port or 0)
            found = [ip_address(result["host"]) for result in results]
            _check_addresses(url.scheme, found, self.allowed)
        return await handler(request)


class GuardedResolver(AbstractResolver):
    """Resolves names to public or allowed addresses, or raises UnsafeUrl."""

    def __init__(
        self, allowed: Sequence[Network] = (), resolver: AbstractResolver | None = None
    ) -> None:
        self.allowed = allowed
        self.inner = resolver or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            results = await self.inner.resolve(host, port, family)
        except UnicodeError as error:  # a label that is empty or too long
            raise UnsafeUrl(_("This is not a complete URL.")) from error
        _check_public([ip_address(result["host"]) for result in results], self.allowed)
        return results

    async def close(self) -> None:
        await self.inner.close()


def _parsed(url: str | URL) -> tuple[URL, Address | None]:
    """The URL as aiohttp will read it, and its host where that is an address."""
    try:
        parsed = URL(url)
        host, _port = parsed.host, parsed.port
    except ValueError as error:
        raise UnsafeUrl(_("This is not a complete URL.")) from error
    if not host:
        raise UnsafeUrl(_("This is not a complete URL."))
    if parsed.scheme not in ("http", "https"):
        raise UnsafeUrl(_("A URL must begin with https://."))
    try:
        return parsed, ip_address(host)
    except ValueError:
        return parsed, None


def _looked_up(host: str, lookup: Callable[[str], Iterable[str]]) -> list[Address]:
    try:
        return [ip_address(found) for found in lookup(host)]
    except (OSError, UnicodeError) as error:
        raise UnsafeUrl(_("The host of this URL cannot be found.")) from error


def _system_lookup(host: str) -> list[str]:
    infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in infos]


def _check_addresses(scheme: str, found: list[Address], allowed: Sequence[Network]) -> None:
    _check_public(found, allowed)
    if scheme != "https" and not all(_is_allowed(address, allowed) for address in found):
        raise UnsafeUrl(_("A URL must begin with https://."))


def _check_public(found: list[Address], allowed: Sequence[Network]) -> None:
    if not found:
        raise UnsafeUrl(_("The host of this URL cannot be found."))
    if not all(_is_public(address) or _is_allowed(address, allowed) for address in found):
        raise UnsafeUrl(_("This URL does not lead to a public address."))


def _is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    inner = _unwrapped(address) or address
    return any(inner in network for network in allowed)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return _is_public_v4(address)
    inner = _unwrapped(address)
    if inner is not None:
        return _is_public_v4(inner)
    # Only this eighth of IPv6 has been given out; what is beyond is special in some way.
    is_unicast = address in IPv6Network("2000::/3")
    return is_unicast and address.is_global and not _is_listed(address)


def _is_public_v4(address: IPv4Address) -> bool:
    is_special = address.is_multicast or address.is_reserved or _is_listed(address)
    return address.is_global and not is_special


def _is_listed(address: Address) -> bool:
    return any(address in network for network in NOT_PUBLIC)


def _unwrapped(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if not isinstance(address, IPv6Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


NAT64 = IPv6Network("64:ff9b::/96")
# What Python's `is_global` calls public, in all or in some of its versions.
NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv6Network("2001::/23"),  # protocol assignments; Teredo, which holds an IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)
