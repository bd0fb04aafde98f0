"""The outgoing-URL rule: a table of addresses, names that lie, names that change their mind."""

import asyncio
import socket
from ipaddress import ip_address

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from channels.http import open_session
from channels.outgoing import Guard, UnsafeUrl, check_url, networks
from tests.fakes.serving import serving
from tests.fakes.webhook import WebhookFake
from tests.fakes.wire import Answer, Request

PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
PUBLIC_V4_INSIDE_V6 = ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",  # the metadata service of most clouds
    "100.64.0.1",  # carrier-grade NAT
    "100.127.255.254",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",  # IPv4-translated
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",  # NAT64 of a local network
    "100::1",
    "2001:0:808:808::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::",
    "2002:c0a8:101::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%25eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC + PUBLIC_V4_INSIDE_V6)
def test_a_public_address_is_called(address: str) -> None:
    check_url(f"https://{_in_url(address)}/hook")
    check_url("https://hooks.example/", lookup=lambda _host: [address])


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_not_called(address: str) -> None:
    with pytest.raises(UnsafeUrl, match="does not lead to a public address"):
        check_url(f"https://{_in_url(address)}/hook")
    with pytest.raises(UnsafeUrl, match="does not lead to a public address"):
        check_url("https://hooks.example/", lookup=lambda _host: [address.replace("%25", "%")])


def test_one_bad_address_among_good_ones_is_enough() -> None:
    with pytest.raises(UnsafeUrl):
        check_url("https://hooks.example/", lookup=lambda _host: ["8.8.8.8", "10.0.0.1"])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost.",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "[::ffff:7f00:1]",
        "%31%32%37.0.0.1",
    ],
)
def test_loopback_by_other_names_is_not_called(host: str) -> None:
    # The system's resolver reads the odd ones as IPv4, or does not know them: never called.
    with pytest.raises(UnsafeUrl):
        check_url(f"https://{host}/")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://8.8.8.8/", "must begin with https"),
        ("ftp://8.8.8.8/", "must begin with https"),
        ("file:///etc/passwd", "not a complete URL"),
        ("gopher://8.8.8.8/", "must begin with https"),
        ("javascript:alert(1)", "not a complete URL"),
        ("//8.8.8.8/", "must begin with https"),
        ("8.8.8.8", "not a complete URL"),
        ("", "not a complete URL"),
        ("https://", "not a complete URL"),
        ("https:///path", "not a complete URL"),
        ("https://[::1", "not a complete URL"),
        ("https://8.8.8.8:99999/", "not a complete URL"),
        ("https://8.8.8.8\\@10.0.0.1/", "not a complete URL"),
        ("https://user@8.8.8.8/", "user name or a password"),
        ("https://:word@8.8.8.8/", "user name or a password"),
        ("https://a..b/", "cannot be found"),
    ],
)
def test_a_url_that_is_not_plain_https_is_not_called(url: str, message: str) -> None:
    with pytest.raises(UnsafeUrl, match=message):
        check_url(url)


def test_the_refusal_is_a_value_error_that_repeats_nothing_of_the_url() -> None:
    with pytest.raises(ValueError, match="public") as caught:
        check_url("https://10.0.0.1/?token=secret")
    assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.args}"


def test_a_host_that_is_unknown_is_not_saved() -> None:
    def fail(_host: str) -> list[str]:
        raise socket.gaierror("unknown")

    with pytest.raises(UnsafeUrl, match="cannot be found"):
        check_url("https://hooks.example/", lookup=fail)
    with pytest.raises(UnsafeUrl, match="cannot be found"):
        check_url("https://hooks.example/", lookup=lambda _host: [])


def test_an_allowed_network_is_called_without_tls_and_in_every_spelling() -> None:
    allowed = networks(["10.1.0.0/16", " fd00:1::/32 "])
    check_url("http://10.1.2.3:8080/", allowed)
    check_url("http://[::ffff:10.1.2.3]/", allowed)
    check_url("http://[fd00:1::5]/", allowed)
    check_url("http://bridge.local/", allowed, lookup=lambda _host: ["10.1.2.3"])
    for address in ("10.2.0.1", "fd00:2::5"):
        with pytest.raises(UnsafeUrl):
            check_url(f"https://{_in_url(address)}/", allowed)
    with pytest.raises(UnsafeUrl, match="https"):
        check_url("http://bridge.local/", allowed, lookup=lambda _host: ["10.1.2.3", "8.8.8.8"])


def test_a_network_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="not-a-network"):
        networks(["not-a-network"])


def test_a_name_that_turned_private_since_it_was_saved_is_not_called() -> None:
    answers = Answers(["8.8.8.8"], ["127.0.0.1"])
    check_url("https://hooks.example/", lookup=answers.lookup)
    assert _error("https://hooks.example/", answers) is UnsafeUrl
    assert answers.asked == 2


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A second question would be answered with another address: it is not asked."""
    answers = Answers(["127.0.0.1"], ["169.254.169.254"])
    fake = WebhookFake()

    async def scenario() -> int:
        async with serving(fake) as url, _session(answers, "127.0.0.1/32") as http:
            port = url.rpartition(":")[2]
            # https, so that only the connection asks; the fake speaks no TLS.
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await http.post(f"https://hooks.example:{port}/")
            return int(isinstance(caught.value, aiohttp.ClientConnectorSSLError))

    assert asyncio.run(scenario()) == 1
    assert answers.asked == 1


def test_a_plain_http_name_must_be_allowed_each_time() -> None:
    assert _error("http://hooks.example/", Answers(["8.8.8.8"])) is UnsafeUrl
    turned = Answers(["127.0.0.1"], ["169.254.169.254"])
    assert _error("http://hooks.example/", turned, "127.0.0.1/32") is UnsafeUrl


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "http://8.8.8.8/"],
)
def test_literal_addresses_which_skip_the_resolver_are_stopped(url: str) -> None:
    assert _error(url, Answers()) is UnsafeUrl


def test_a_redirect_to_a_private_address_is_stopped_even_where_somebody_follows_it() -> None:
    async def scenario() -> None:
        async with serving(Redirecting()) as url, _session(Answers(), "127.0.0.1/32") as http:
            with pytest.raises(UnsafeUrl):
                await http.get(url, allow_redirects=True)

    asyncio.run(scenario())


def test_an_impossible_name_is_a_bad_url_and_nothing_worse() -> None:
    async def scenario() -> None:
        async with open_session(guarded=True) as http:
            with pytest.raises(UnsafeUrl):
                await http.post(f"https://{'a' * 70}.example/")

    asyncio.run(scenario())


class Redirecting(WebhookFake):
    """Sends everybody on to a cloud's metadata service."""

    def handle(self, _request: Request) -> Answer:
        return Answer(307, headers={"Location": "http://169.254.169.254/latest/meta-data/"})


class Answers(AbstractResolver):
    """A DNS that gives these answers, one after the other; the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = answers
        self.asked = 0

    def lookup(self, _host: str) -> list[str]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return answer

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self.lookup(host)
        ]

    async def close(self) -> None:
        pass


def _session(answers: Answers, *allowed: str) -> aiohttp.ClientSession:
    guard = Guard(networks(allowed), answers)
    connector = aiohttp.TCPConnector(resolver=guard.resolver, family=socket.AF_INET)
    return aiohttp.ClientSession(connector=connector, middlewares=[guard])


def _error(url: str, answers: Answers, *allowed: str) -> type[Exception]:
    """What a request to this URL fails with."""

    async def scenario() -> type[Exception]:
        async with _session(answers, *allowed) as http:
            with pytest.raises(Exception) as caught:
                await http.post(url)
            return caught.type

    return asyncio.run(scenario())


def _in_url(address: str) -> str:
    is_v6 = ip_address(address.replace("%25", "%")).version == 6
    return f"[{address}]" if is_v6 else address
