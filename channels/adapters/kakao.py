"""KakaoTalk's message API: notices to the owner of a Kakao account and to their friends.

It is made for operators: some 100 messages a day, no groups, and no request carries a key, so
that a lost answer leaves a message in doubt. Texts only.
https://developers.kakao.com/docs/latest/en/kakaotalk-message/rest-api
"""

import asyncio
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
from django.utils.translation import gettext_lazy as _

from channels.adapters.base import (
    Adapter,
    Bubble,
    Config,
    Limits,
    Message,
    Part,
    Payload,
    Receipt,
    SendError,
    Standing,
    Target,
    Text,
    later,
    option,
    refused,
    unknown,
)
from channels.adapters.tokens import Token, Tokens
from channels.adapters.wire import read_answer, wire_failures, within

logger = logging.getLogger(__name__)

ME = "me"
TO_ME = "/v2/api/talk/memo/default/send"
TO_FRIENDS = "/v1/api/talk/friends/message/default/send"
API_HOST = "https://kapi.kakao.com"
LOGIN_HOST = "https://kauth.kakao.com"

# Of a friend's uuid only its look is known; the shortest words would be slips of “me”.
FRIEND = re.compile(r"[A-Za-z0-9_-]{3,100}")
TOKEN_CHARACTERS = re.compile(r"[A-Za-z0-9._~+/=-]+")
# Senders wait less. But a refresh may replace the refresh token, and with its answer the only
# valid one would be lost: so it is heard to its end.
TOKEN_TIMEOUT = 30.0
ERROR_FIELDS = ("error", "error_description", "error_code")
BAD_CREDENTIALS = ("invalid_grant", "invalid_client", "unauthorized_client")  # RFC 6749, 5.2

BAD_TOKEN = -401
TOO_MANY = -10
FAILED_INSIDE = (-1, -7, -603)  # Kakao's own trouble: the message may have been accepted
# https://developers.kakao.com/docs/latest/en/kakaotalk-message/trouble-shooting
REFUSALS = {
    BAD_TOKEN: "Kakao does not accept the access token",
    -402: "The account's owner has not consented to sending messages",
    -502: "The recipient is no friend of the account's owner",
    -530: "The recipient does not want messages of this app",
    -531: "The account has sent as many messages this month as Kakao allows",
    -532: "The account has sent as many messages today as Kakao allows",
    -533: "The recipient has got as many messages today as Kakao allows",
    -536: "The recipient has got as many messages of this account today as Kakao allows",
}
OF_THE_ACCOUNT = (BAD_TOKEN, -402, -531, -532)


@dataclass(frozen=True)
class KakaoConfig(Config):
    """An app at Kakao Developers, and a person who has logged in to it."""

    client_id: str = option(
        _("REST API key"), _("From the “App keys” of the app at Kakao Developers.")
    )
    client_secret: str = option(
        _("Client secret"), _("Only if it is switched on for the app."), secret=True
    )
    refresh_token: str = option(
        _("Refresh token"),
        _("Of the person in whose name is sent, who agreed to “talk_message”."),
        secret=True,
    )
    link_url: str = option(
        _("Link"),
        _("What a tap on a message opens. Its domain must be registered with the app."),
    )

    def problems(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if not TOKEN_CHARACTERS.fullmatch(self.client_id):
            found["client_id"] = _("Give the app's REST API key.")
        if self.client_secret and not TOKEN_CHARACTERS.fullmatch(self.client_secret):
            found["client_secret"] = _("This is not a client secret: look for a stray space.")
        if not TOKEN_CHARACTERS.fullmatch(self.refresh_token):
            found["refresh_token"] = _("Give the refresh token: look for a stray space.")
        if not _is_web_address(self.link_url):
            found["link_url"] = _("Give an address that begins with https:// or http://.")
        return found


class KakaoAdapter(Adapter):
    """Sends one text to the account's owner or to one of their friends."""

    kind = "kakao"
    label = _("KakaoTalk messages")
    config_class = KakaoConfig
    limits = Limits(text_length=200, images=0)
    length_unit = _("characters (an emoji counts as two)")
    address_help = _("“me” for the owner of the account, or a friend's uuid.")
    # Guarded though the host is fixed: such a session gives each request a connection of its
    # own. A kept one that Kakao had closed would look like a lost answer, and there is no key.
    guarded = True
    secrets_last = 60  # the refresh token; a new one comes with its use in the second half
    host = API_HOST

    def __init__(
        self, config: Any, http: aiohttp.ClientSession | None = None, *, account_id: int = 0
    ) -> None:
        super().__init__(config, http, account_id=account_id)
        self._tokens = Tokens("Kakao", self._new_token)

    @property
    def login_host(self) -> str:
        """Where tokens are made: a stand-in for Kakao plays both hosts."""
        return LOGIN_HOST if self.host == API_HOST else self.host

    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        """A text each. Raises ValueError for a picture, which `limits` should have stopped."""
        return [Part({"messages": [self._template(message)]}) for message in messages]

    def preview(self, payload: Payload) -> list[Bubble]:
        return [Bubble("text", text=template["text"]) for template in payload["messages"]]

    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        deadline = asyncio.get_running_loop().time() + self.timeout
        patience = deadline - self.timeout / 3  # what is left belongs to the message
        token = await self._tokens.get(patience)
        answer = await self._post(target.address, payload, token, deadline)
        if answer.is_bad_token:
            # Nothing was accepted, and a token may be revoked at any time: once more.
            token = await self._tokens.get(patience, rejected=token)
            answer = await self._post(target.address, payload, token, deadline)
        return _receipt(answer, target.address)

    async def check(self) -> Standing:
        """A token that is made anew proves the keys; Kakao tells no name with it."""
        await self._new_token()
        return Standing()

    def address_problem(self, address: str) -> Any | None:
        if address == ME or FRIEND.fullmatch(address):
            return None
        return _("Write “me”, or a friend's uuid: letters, digits, “-” and “_”.")

    def length(self, text: str) -> int:
        """In UTF-16 units. Kakao does not say how it counts; none counts more than this."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def _template(self, message: Message) -> dict[str, Any]:
        if not isinstance(message, Text):
            raise ValueError(_("KakaoTalk messages take no images."))
        url = self.config.link_url
        return {
            "object_type": "text",
            "text": message.text,
            "link": {"web_url": url, "mobile_web_url": url},
        }

    async def _post(self, address: str, payload: Payload, token: str, deadline: float) -> "_Answer":
        [template] = payload["messages"]
        form = {"template_object": json.dumps(template)}
        if address != ME:
            form["receiver_uuids"] = json.dumps([address])
        left = deadline - asyncio.get_running_loop().time()
        with wire_failures():
            async with self.http.post(
                self.host + (TO_ME if address == ME else TO_FRIENDS),
                data=form,
                headers={"Authorization": f"Bearer {token}"},
                timeout=within(max(round(left, 2), 0.05)),  # aiohttp takes 0 for "no timeout"
                allow_redirects=False,
            ) as response:
                return await _answer(response)

    async def _new_token(self) -> Token:
        """One worker at a time: the answer may replace the refresh token that all of them use."""
        async with self.secrets.alone(TOKEN_TIMEOUT) as stored:
            used = self._newest(stored.get("refresh_token", ""))
            answer = await self._request_token(used)
            token, seconds = answer.data.get("access_token"), answer.data.get("expires_in")
            if answer.status != 200 or not _is_token(token):
                raise _no_token(answer)
            newer = answer.data.get("refresh_token")
            if _is_token(newer) and newer != used:
                await self._keep(str(newer))
        return Token(str(token), seconds if isinstance(seconds, int) else 0.0)

    async def _request_token(self, refresh_token: str) -> "_Answer":
        form = {
            "grant_type": "refresh_token",
            "client_id": self.config.client_id,
            "refresh_token": refresh_token,
        }
        if self.config.client_secret:
            form["client_secret"] = self.config.client_secret
        with wire_failures():
            async with self.http.post(
                f"{self.login_host}/oauth/token",
                data=form,
                timeout=within(TOKEN_TIMEOUT),
                allow_redirects=False,
            ) as response:
                return await _answer(response)

    def _newest(self, stored: str) -> str:
        """Another worker may have stored a newer one, or a person, than this adapter was made
        with; what this one got itself may not have been stored."""
        own = str(self.config.refresh_token)
        return stored if stored not in ("", own) else self.renewed.get("refresh_token", own)

    async def _keep(self, refresh_token: str) -> None:
        """In its last month Kakao replaces a refresh token; the old one is worthless then."""
        self.renewed["refresh_token"] = refresh_token
        logger.warning("account %s: Kakao replaced its refresh token", self.account_id)
        await self.secrets.store({"refresh_token": refresh_token})


@dataclass(frozen=True)
class _Answer:
    """What Kakao said. `data` is empty where that was no JSON object."""

    status: int
    data: dict[str, Any]

    @property
    def code(self) -> int | None:
        """Kakao's own code, which says more than the status."""
        code = self.data.get("code")
        if isinstance(code, int):
            return code
        return {401: BAD_TOKEN, 429: TOO_MANY}.get(self.status)

    @property
    def is_refusal(self) -> bool:
        return 400 <= self.status < 500 and self.status != 408

    @property
    def is_bad_token(self) -> bool:
        return self.is_refusal and (self.status == 401 or self.code == BAD_TOKEN)

    @property
    def evidence(self) -> dict[str, Any]:
        return {"status": self.status, "answer": self.data}


async def _answer(response: aiohttp.ClientResponse) -> _Answer:
    body = await read_answer(response)
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    return _Answer(response.status, data if isinstance(data, dict) else {})


def _receipt(answer: _Answer, address: str) -> Receipt:
    """What the answer to one message means. Raises SendError for all but an acceptance."""
    if answer.is_refusal:
        raise _failure(answer.code, answer.data.get("msg"), answer)
    data = answer.data if 200 <= answer.status < 300 else {}
    if address == ME:
        is_accepted, refusal = data.get("result_code") == 0, None
    else:
        # Made for up to five friends: a 200 says of each whether it was accepted.
        is_accepted = address in _listed(data, "successful_receiver_uuids")
        refusal = _refusal_of(data, address)
    if is_accepted and refusal is None:
        return Receipt(answer.status, answer=data)
    if refusal is not None and not is_accepted:
        code = refusal.get("code")
        raise _failure(code if isinstance(code, int) else None, refusal.get("msg"), answer)
    # 5xx; and what Kakao would not say, such as the page of a captive portal.
    raise unknown(f"Kakao's answer says nothing certain (HTTP {answer.status}).", **answer.evidence)


def _failure(code: int | None, words: Any, answer: _Answer) -> SendError:
    """What one of Kakao's codes means for the message."""
    said = f"{words or 'no reason given'} ({code or f'HTTP {answer.status}'})"
    if code == TOO_MANY:
        return later(f"Kakao takes no more requests for now: {said}", **answer.evidence)
    if code in FAILED_INSIDE:
        return unknown(f"Kakao failed: {said}", **answer.evidence)
    reason = REFUSALS.get(code or 0, "Kakao refused")
    return refused(f"{reason}: {said}", account_wide=code in OF_THE_ACCOUNT, **answer.evidence)


def _refusal_of(data: dict[str, Any], address: str) -> dict[str, Any] | None:
    for entry in _listed(data, "failure_info"):
        if isinstance(entry, dict) and address in _listed(entry, "receiver_uuids"):
            return entry
    return None


def _listed(data: dict[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


def _no_token(answer: _Answer) -> SendError:
    """Why there is no token. Of the answer only the error is told: the rest may be a secret."""
    told = {name: str(answer.data[name]) for name in ERROR_FIELDS if name in answer.data}
    evidence: dict[str, Any] = {"status": answer.status, "answer": told}
    reason = told.get("error_description") or told.get("error") or f"HTTP {answer.status}"
    if answer.is_refusal and (answer.status == 401 or told.get("error") in BAD_CREDENTIALS):
        return refused(
            f"Kakao does not accept the refresh token or the app's keys ({reason}). "
            "Log in to Kakao once more and save the account with the new refresh token.",
            account_wide=True,
            **evidence,
        )
    return later(f"Kakao gave no access token: {reason}", **evidence)


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and bool(TOKEN_CHARACTERS.fullmatch(value))


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_clean = url.isprintable() and " " not in url
    return is_clean and parts.scheme in ("http", "https") and bool(parts.hostname)
