"""A call of Apprise: one request to each service, checked and complete, and nothing kept."""

import re
from typing import Any

import pytest
import requests

from channels.apprise.allowed import SERVICES, read
from channels.apprise.call import Answer, call
from channels.apprise.passage import Passage
from tests.channels.apprise.examples import EXAMPLES

LINK = "https://media.example/a_b-c.d_e.png"
BY_HTTP = sorted(set(SERVICES) - {"mailto", "mailtos"})


class Web:
    """Whoever is asked, answers with this status."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def post(self, url: str, **given: Any) -> requests.Response:
        self.requests.append((url, given))
        answer = requests.Response()
        answer.status_code = self.status
        answer._content = b"ok"
        return answer

    def request(self, _method: str, url: str, **given: Any) -> requests.Response:
        return self.post(url, **given)


def send(
    scheme: str, status: int, monkeypatch: pytest.MonkeyPatch, body: str = LINK
) -> tuple[Web, Answer]:
    web = Web(status)
    monkeypatch.setattr(requests, "post", web.post)
    monkeypatch.setattr(requests, "request", web.request)
    return web, call(read(EXAMPLES[scheme][0])[1], title="", body=body, passage=Passage())


@pytest.mark.parametrize("scheme", BY_HTTP)
def test_a_message_is_one_request_with_tls_without_redirects_and_its_links_are_whole(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, _answer = send(scheme, 200, monkeypatch)
    [(url, given)] = web.requests
    assert url.startswith("https://")
    assert given["verify"] is True
    assert given["allow_redirects"] is False
    assert given["timeout"] == (5.0, 5.0)
    assert not given.get("files")
    assert LINK in _text(given)


@pytest.mark.parametrize("scheme", BY_HTTP)
def test_the_longest_text_is_one_request_too_whatever_is_escaped_in_it(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = SERVICES[scheme].text_length
    for sign in ("<", "*", ":a: ", "時"):
        web, _answer = send(scheme, 200, monkeypatch, (sign * longest)[:longest])
        assert len(web.requests) == 1


@pytest.mark.parametrize("scheme", BY_HTTP)
@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_the_status_of_each_services_no_is_heard(
    scheme: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _web, answer = send(scheme, status, monkeypatch)
    assert answer == Answer(False, status)


def _text(given: dict[str, Any]) -> str:
    body = given.get("data") or given.get("json")
    text = body.decode() if isinstance(body, bytes) else str(body)
    return re.sub(r"\\/", "/", text)
