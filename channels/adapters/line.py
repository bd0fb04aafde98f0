"""LINE: the Messaging API's push to one user, group or room, and multicast to 500 users.

The vendor's SDK builds and checks the messages, once, when they are packed. They are sent
without it: a plain request is several times cheaper, and shows status and headers.
https://developers.line.biz/en/reference/messaging-api/
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import import_module
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID, uuid5

import aiohttp
from django.utils.translation import gettext_lazy as _

from channels.adapters import line_batch, line_counts, line_events
from channels.adapters.base import (
    Adapter,
    Bubble,
    Config,
    Event,
    Limits,
    Message,
    Part,
    Payload,
    Quota,
    Receipt,
    SendError,
    Standing,
    Target,
    Text,
    later,
    option,
    refused,
)
from channels.adapters.counting import Statistics
from channels.adapters.line_answers import Answer, count_in, receipt, take_in, verdict
from channels.adapters.tokens import Token, Tokens
from channels.adapters.wire import wire_failures, within

ADDRESS = re.compile(r"[UCR][0-9a-f]{32}")
USER = re.compile(r"U[0-9a-f]{32}")
TOKEN_CHARACTERS = re.compile(r"[A-Za-z0-9._~+/=-]+")
TOKEN_TIMEOUT = 4.0  # leaves most of the send's time to the send
ASK_TIMEOUT = 4.0  # for questions beside the sending


@dataclass(frozen=True)
class LineConfig(Config):
    """A channel of the Messaging API. Its id and secret suffice; a token replaces them."""

    channel_id: str = option(
        _("Channel ID"), _("From the “Basic settings” of the channel in the LINE console.")
    )
    channel_secret: str = option(
        _("Channel secret"),
        _("From the same page. It also proves that incoming events come from LINE."),
        secret=True,
    )
    access_token: str = option(
        _("Long-lived access token"),
        _("Only if you prefer one: without it, short-lived tokens are made as needed."),
        secret=True,
    )

    def problems(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.access_token:
            if not TOKEN_CHARACTERS.fullmatch(self.access_token):
                found["access_token"] = _("This is not an access token: look for a stray space.")
        else:
            if not self.channel_id:
                found["channel_id"] = _("Give the channel's ID, or a long-lived access token.")
            if not self.channel_secret:
                found["channel_secret"] = _("Give the channel's secret as well.")
        if self.channel_id and not (self.channel_id.isascii() and self.channel_id.isdigit()):
            found["channel_id"] = _("A channel ID consists of digits.")
        return found


class LineAdapter(Adapter):
    """Pushes up to five messages in one request, which is billed once per recipient."""

    kind = "line"
    label = _("LINE")
    config_class = LineConfig
    limits = Limits(text_length=5000, images=10, messages_per_part=5, members_per_request=500)
    length_unit = _("characters (most emoji count as two)")
    address_help = _("The ID of a user, group or room: U, C or R and 32 characters.")
    rates = {"push": 2000.0, "multicast": 200.0}
    takes_key = True
    fetches_images = True
    guarded: ClassVar[bool] = False
    hears: ClassVar[bool] = True
    meters: ClassVar[bool] = True
    quota_zone: ClassVar[str] = "Asia/Tokyo"  # LINE's days and months turn at midnight of UTC+9
    labels_a_month: ClassVar[int] = line_counts.LABELS_A_MONTH
    label_people: ClassVar[int] = line_counts.LABEL_PEOPLE
    counts: ClassVar[tuple[str, ...]] = ("push", "multicast")
    host = "https://api.line.me"

    def __init__(
        self, config: Any, http: aiohttp.ClientSession | None = None, *, account_id: int = 0
    ) -> None:
        super().__init__(config, http, account_id=account_id)
        self._tokens = Tokens("LINE", self._new_token)
        self._last: tuple[Payload, bytes] = ({}, b"")

    @classmethod
    def warm_up(cls) -> None:
        import_module("linebot.v3.messaging")

    async def get_ready(self) -> None:
        await self._token(asyncio.get_running_loop().time() + TOKEN_TIMEOUT)

    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        """LINE fetches pictures itself, by https and at most 2,000 characters; the caller
        sees to that, and to the texts' length."""
        size = 1 if spaced else self.limits.messages_per_part
        groups = [messages[start : start + size] for start in range(0, len(messages), size)]
        return [_part(group) for group in groups]

    def preview(self, payload: Payload) -> list[Bubble]:
        return [_bubble(message) for message in payload["messages"]]

    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        deadline = asyncio.get_running_loop().time() + self.timeout
        if not target.members:
            return await self._hand_over(target.address, payload, key, deadline)

        async def to_some(members: Sequence[str], own_key: UUID) -> Receipt:
            return await self._hand_over(list(members), payload, own_key, deadline)

        try:
            return await to_some(target.members, key)
        except SendError as error:
            many = len(target.members) > 1
            if error.status != 400 or not many or await self._is_wrong(payload, deadline):
                raise
        return await line_batch.halve(target.members, key, to_some)

    def inbound(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        signature = headers.get("x-line-signature", "")
        return line_events.read(self.config.channel_secret, signature, body)

    async def describe(self, address: str) -> str:
        """The name of a group or a person; LINE knows none for rooms."""
        paths = {"C": f"/v2/bot/group/{address}/summary", "U": f"/v2/bot/profile/{address}"}
        if not ADDRESS.fullmatch(address) or address[0] not in paths:
            return ""
        answer = await self._ask(paths[address[0]])
        data = answer.data or {}
        return str(data.get("groupName") or data.get("displayName") or "")

    async def quota(self) -> Quota:
        """LINE counts by its own month, which turns at midnight of UTC+9."""
        given = receipt(await self._ask("/v2/bot/message/quota")).answer
        spent = receipt(await self._ask("/v2/bot/message/quota/consumption")).answer
        limit = None if given.get("type") == "none" else count_in(given, "value")
        return Quota(limit=limit, used=count_in(spent, "totalUsage"))

    async def size(self, address: str) -> int | None:
        """A message to a group is billed for each of its people."""
        kinds = {"C": "group", "R": "room"}
        if not ADDRESS.fullmatch(address) or address[0] not in kinds:
            return 1 if ADDRESS.fullmatch(address) else None
        answer = await self._ask(f"/v2/bot/{kinds[address[0]]}/{address}/members/count")
        if answer.status == 404:
            raise refused("The LINE account is not in this group or room.", **answer.evidence)
        return count_in(receipt(answer).answer, "count")

    @classmethod
    def labelled(cls, payload: Payload, label: str) -> Payload:
        return line_counts.labelled(payload, label)

    async def labels_used(self) -> int:
        answer = receipt(await self._ask("/v2/bot/message/aggregation/info")).answer
        return count_in(answer, "numOfCustomAggregationUnits")

    async def statistics(self, label: str, first: date, last: date) -> Statistics:
        days = {"from": line_counts.on(first), "to": line_counts.on(last)}
        query = urlencode({"customAggregationUnit": label, **days})
        path = f"/v2/bot/insight/message/event/aggregation?{query}"
        return line_counts.statistics(await self._ask(path))

    async def counted(self, endpoint: str, day: date) -> int:
        path = f"/v2/bot/message/delivery/{endpoint}?date={line_counts.on(day)}"
        return line_counts.day_count(await self._ask(path))

    async def check(self) -> Standing:
        told = receipt(await self._ask("/v2/bot/info")).answer
        return Standing(name=str(told.get("displayName") or ""))

    async def validate(self, target: Target, payload: Payload) -> None:
        """LINE looks at the messages only, not at whom they are for."""
        deadline = asyncio.get_running_loop().time() + ASK_TIMEOUT
        endpoint = f"validate/{self.endpoint(batch=bool(target.members))}"
        verdict(await self._validation(endpoint, payload, deadline))

    @classmethod
    def endpoint(cls, *, batch: bool) -> str:
        return "multicast" if batch else "push"

    def address_problem(self, address: str) -> Any | None:
        if ADDRESS.fullmatch(address):
            return None
        return _("A LINE ID is U, C or R followed by 32 characters of 0-9 and a-f.")

    def recipient_problem(self, address: str) -> Any | None:
        if USER.fullmatch(address):
            return None
        return _("A LINE user’s ID is U followed by 32 characters of 0-9 and a-f.")

    def length(self, text: str) -> int:
        """In UTF-16 units, as LINE counts: most emoji are two."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    async def _hand_over(
        self, to: str | list[str], payload: Payload, key: UUID, deadline: float
    ) -> Receipt:
        """A label is no reason for a message not to be sent: refused for it, the message goes
        without, with a key of its own, since LINE's keys belong to one body."""
        try:
            return await self._push(to, payload, key, deadline)
        except SendError as error:
            if not line_counts.is_to_blame(error):
                raise
            plain, why = line_counts.without_label(payload), str(error)
        found = await self._push(to, plain, uuid5(key, "without label"), deadline)
        return replace(found, answer={**found.answer, "uncounted": why})

    async def _push(
        self, to: str | list[str], payload: Payload, key: UUID, deadline: float
    ) -> Receipt:
        body = b'{"to": ' + json.dumps(to).encode() + b", " + self._frozen(payload)
        endpoint = self.endpoint(batch=isinstance(to, list))
        return receipt(await self._post_message(endpoint, body, key, deadline))

    async def _is_wrong(self, payload: Payload, deadline: float) -> bool:
        """Whether LINE finds fault with the messages themselves: it is free to ask. Raises
        SendError(LATER) where it does not say."""
        try:
            answer = await self._validation("validate/multicast", payload, deadline)
        except SendError as error:
            raise later(f"LINE refused a batch and did not say why: {error}") from error
        if answer.status not in (200, 400):
            why = f"LINE refused a batch and did not say why (HTTP {answer.status})."
            raise later(why, **answer.evidence)
        return answer.status == 400

    async def _validation(self, endpoint: str, payload: Payload, deadline: float) -> Answer:
        body = json.dumps(line_counts.without_label(payload)).encode()
        return await self._post_message(endpoint, body, None, deadline)

    async def _post_message(
        self, endpoint: str, body: bytes, key: UUID | None, deadline: float
    ) -> Answer:
        url = f"{self.host}/v2/bot/message/{endpoint}"
        token = await self._token(deadline)
        answer = await self._post(url, body, token, key, deadline)
        if answer.status == 401 and not self.config.access_token:
            # Nothing was accepted, and a token may be revoked at any time: once more.
            token = await self._token(deadline, rejected=token)
            answer = await self._post(url, body, token, key, deadline)
        return answer

    def _frozen(self, payload: Payload) -> bytes:
        """The payload as the end of a request's body. The messages of a run share one, and
        leave one after the other: it is made once for many."""
        if payload is not self._last[0]:
            self._last = payload, json.dumps(payload, sort_keys=True).encode()[1:]
        return self._last[1]

    async def _post(
        self, url: str, body: bytes, token: str, key: UUID | None, deadline: float
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if key:
            headers["X-Line-Retry-Key"] = str(key)
        with wire_failures():
            async with self.http.post(
                url, data=body, headers=headers, timeout=_until(deadline), allow_redirects=False
            ) as response:
                return await take_in(response)

    async def _token(self, deadline: float, rejected: str = "") -> str:
        return str(self.config.access_token) or await self._tokens.get(deadline, rejected)

    async def _new_token(self) -> Token:
        """A stateless one; it lives 15 minutes."""
        answer = await self._request_token()
        data = answer.data or {}
        token, seconds = data.get("access_token"), data.get("expires_in")
        if answer.status == 200 and isinstance(token, str) and TOKEN_CHARACTERS.fullmatch(token):
            return Token(token, seconds if isinstance(seconds, int) else 0.0)
        if answer.status in (400, 401, 403):
            raise refused(
                f"LINE does not accept the channel's ID and secret: {answer.message}",
                account_wide=True,
                **answer.evidence,
            )
        raise later(f"LINE gave no access token (HTTP {answer.status}).", **answer.evidence)

    async def _request_token(self) -> Answer:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.config.channel_id,
            "client_secret": self.config.channel_secret,
        }
        with wire_failures():
            async with self.http.post(
                f"{self.host}/oauth2/v3/token",
                data=form,
                timeout=within(TOKEN_TIMEOUT),
                allow_redirects=False,
            ) as response:
                return await take_in(response)

    async def _ask(self, path: str) -> Answer:
        """GET, with a deadline of its own. Raises SendError where no answer came."""
        deadline = asyncio.get_running_loop().time() + ASK_TIMEOUT
        token = await self._token(deadline)
        answer = await self._get(path, token, deadline)
        if answer.status == 401 and not self.config.access_token:
            token = await self._token(deadline, rejected=token)
            answer = await self._get(path, token, deadline)
        return answer

    async def _get(self, path: str, token: str, deadline: float) -> Answer:
        with wire_failures():
            async with self.http.get(
                f"{self.host}{path}",
                headers={"Authorization": f"Bearer {token}"},
                timeout=_until(deadline),
                allow_redirects=False,
            ) as response:
                return await take_in(response)


def _until(deadline: float) -> aiohttp.ClientTimeout:
    left = deadline - asyncio.get_running_loop().time()
    return within(max(round(left, 2), 0.05))  # aiohttp takes 0 for "no timeout"


def _part(messages: Sequence[Message]) -> Part:
    from linebot.v3.messaging import (  # noqa: PLC0415  (1.7 s and 73 MB: only where it packs)
        ImageMessage,
        TextMessage,
        ValidateMessageRequest,
    )

    models = [
        TextMessage(text=message.text)
        if isinstance(message, Text)
        else ImageMessage(originalContentUrl=message.url, previewImageUrl=message.preview_url)
        for message in messages
    ]
    return Part(ValidateMessageRequest(messages=models).to_dict())


def _bubble(message: dict[str, Any]) -> Bubble:
    if message["type"] == "image":
        return Bubble("image", url=message["originalContentUrl"])
    return Bubble("text", text=message["text"])
