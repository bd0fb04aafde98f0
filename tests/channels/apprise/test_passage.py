"""What a thread may do in a passage: connect to public addresses, and hand over while it lasts."""

import http.client
import smtplib
import socket
import threading
from typing import Any

import pytest

from channels.apprise.allowed import SERVICES, read
from channels.apprise.call import call
from channels.apprise.passage import Passage, through
from channels.outgoing import networks
from tests.channels.apprise.examples import EXAMPLES
from tests.fakes.serving import in_thread
from tests.fakes.webhook import WebhookFake

LOOPBACK = networks(["127.0.0.0/8"])


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1"]
)
def test_an_address_that_is_not_public_is_not_connected_to(address: str) -> None:
    passage = Passage()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with through(passage), socket.socket(family) as one, pytest.raises(PermissionError):
        one.connect((address, 80))
    assert passage.refusal == "This URL does not lead to a public address."
    assert not passage.close()


def test_neither_is_a_name_nor_a_path() -> None:
    with through(Passage()):
        with socket.socket() as one, pytest.raises(PermissionError):
            one.connect(("localhost", 80))
        with socket.socket(socket.AF_UNIX) as one, pytest.raises(PermissionError):
            one.connect("/run/docker.sock")
        with socket.socket() as one, pytest.raises(PermissionError):
            one.connect_ex(("127.0.0.1", 80))


@pytest.mark.parametrize("scheme", sorted(SERVICES))
def test_each_service_has_its_own_host_and_is_not_called_where_that_leads_inside(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = set()

    def lookup(host: str, port: Any, *_others: Any, **_more: Any) -> list[Any]:
        asked.add(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", int(port)))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    url, host = EXAMPLES[scheme]
    passage = Passage()
    answer = call(read(url)[1], title="", body="hello", passage=passage)
    assert not answer.is_accepted
    assert asked == {host}
    assert passage.refusal
    assert not passage.close()


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["8.8.8.8", "127.0.0.1"])

    def lookup(_host: str, port: Any, *_others: Any, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    socket.getaddrinfo("hooks.example", 80)  # a check before, as good as it gets
    with through(Passage()), pytest.raises(PermissionError):
        socket.create_connection(("hooks.example", 80))


def test_what_is_allowed_passes_and_is_known_to_have_left() -> None:
    fake = WebhookFake()
    passage = Passage(LOOPBACK)
    with in_thread(fake) as url, through(passage):
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.request("POST", "/", b"")
        assert connection.getresponse().status == 401
        connection.close()
    assert passage.close()


def test_after_it_is_closed_nothing_passes() -> None:
    passage = Passage(LOOPBACK)
    with socket.create_server(("127.0.0.1", 0)) as server, through(passage):
        connection = http.client.HTTPConnection(*server.getsockname())
        connection.connect()
        assert not passage.close()
        with pytest.raises(PermissionError):
            connection.request("POST", "/", b"")
        connection.close()
        with pytest.raises(PermissionError):
            socket.create_connection(server.getsockname())
    assert not passage.close()
    assert not passage.refusal


def test_of_a_mails_commands_only_the_mail_is_a_hand_over() -> None:
    near, far = socket.socketpair()
    passage = Passage()
    with near, far, through(passage):
        mail = smtplib.SMTP()
        mail.sock = near
        for command in ("ehlo here", "mail FROM:<a@example.com>", "rcpt TO:<b@example.com>"):
            mail.putcmd(command)
        left_before = passage._is_used
        mail.putcmd("data")
        mail.sock = None
    assert not left_before
    assert passage.close()


def test_other_threads_and_what_comes_after_are_not_watched() -> None:
    seen: list[int] = []

    def connect() -> None:
        with socket.socket() as one:
            seen.append(one.connect_ex(("127.0.0.1", closed)))

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        closed = bound.getsockname()[1]
        with through(Passage()):
            other = threading.Thread(target=connect)
            other.start()
            other.join()
        connect()
    assert len(seen) == 2
    assert all(seen)
