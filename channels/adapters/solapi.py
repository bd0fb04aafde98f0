"""Solapi: Kakao Alimtalk, or SMS and LMS, to Korean phone numbers.

A part is a *group*: made, filled, and then released by one request. Until the release nobody is
written to, and Solapi releases a group once, however often it is asked to.
https://developers.solapi.com/references/messages/groups/sendGroupMessage
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urljoin
from uuid import UUID

import aiohttp
from django.utils.translation import gettext_lazy as _

from channels.adapters import sms_text
from channels.adapters.base import (
    Adapter,
    Bubble,
    Failure,
    HandedOver,
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
    refused,
    unknown,
)
from channels.adapters.solapi_answers import (
    KEPT_NUMBERS,
    KEY_FIELD,
    RELEASED,
    Answer,
    Results,
    not_registered,
    refusal,
    take_in,
    with_key,
)
from channels.adapters.solapi_config import SolapiConfig
from channels.adapters.solapi_signature import authorization, date_of
from channels.adapters.wire import wire_failures, within

RECIPIENT = re.compile(r"01[016-9][0-9]{7,8}|050[0-9]{8,9}")  # mobile and virtual numbers

# What is asked of a group until it is certain that it was released, or never will be.
UNTIL_CERTAIN = (("POST", "/send"), ("GET", ""), ("POST", "/send"), ("GET", ""), ("DELETE", ""))

KIND_FIELD = "teiji_kind"
SKEW_SECONDS = 15 * 60  # as far as Solapi lets our clocks differ
ASK_SECONDS = 5.0
MOST_PAGES = 50  # of a list; Solapi chooses their size
PAGE_SIZE = "500"  # asked for of a group's messages
MOST_IN_DOUBT = 1000  # groups that are remembered because nobody knows what became of them

PLAIN = Limits(
    text_length=sms_text.LMS_BYTES, images=10, messages_per_part=5, members_per_request=1000
)
ALIMTALK = Limits(text_length=1000, images=0, messages_per_part=5, members_per_request=1000)


class SolapiAdapter(Adapter):
    """One group for each part. Where the answer to its release is lost, the group is asked."""

    kind = "solapi"
    label = _("Kakao Alimtalk, SMS (Solapi)")
    config_class = SolapiConfig
    limits = PLAIN
    length_unit = _("bytes (a Korean character is two)")
    address_help = _("A Korean mobile number, digits only, such as 01012345678.")
    confirms = True
    fetches_images = True  # not Solapi does, but the phones: a picture goes as a link
    guarded: ClassVar[bool] = False
    host = "https://api.solapi.com"

    def __init__(
        self, config: Any, http: aiohttp.ClientSession | None = None, *, account_id: int = 0
    ) -> None:
        super().__init__(config, http, account_id=account_id)
        if config.template_id:
            self.limits = ALIMTALK  # type: ignore[misc]
            self.length_unit = _("characters (an emoji counts as two)")  # type: ignore[misc]
        self._in_doubt: dict[UUID, str] = {}  # by the part's key, its group

    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        size = 1 if spaced else self.limits.messages_per_part
        groups = [messages[start : start + size] for start in range(0, len(messages), size)]
        return [Part({"messages": [self._body(message) for message in group]}) for group in groups]

    def preview(self, payload: Payload) -> list[Bubble]:
        """Of an Alimtalk with a variable only what the variable takes: the template is Kakao's."""
        return [_bubble(message) for message in payload["messages"]]

    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        began = asyncio.get_running_loop().time()
        # Half of the time is kept for the release: what is not ready by then is not released.
        prepared_by, deadline = began + self.timeout / 2, began + self.timeout
        if key in self._in_doubt and (known := await self._settled(key, deadline)):
            return known
        group = await self._create(payload, key, prepared_by)
        failed = await self._fill(group, target, payload, key, prepared_by)
        answer = await self._release_or_remember(group, key, deadline)
        kept = {"count": answer.data.get("count"), "notRegistered": failed[:KEPT_NUMBERS]}
        if failed and target.members:
            kept["refused"] = sorted({one["to"] for one in failed})
        return Receipt(answer.status, group, kept)

    async def confirm(self, part: HandedOver) -> Receipt | None:
        """A group that was released has arrived but for the numbers of which Solapi says by now
        that nothing reaches them: these are named."""
        deadline = asyncio.get_running_loop().time() + self.timeout
        states = set()
        for group in await self._groups_of(part, deadline):
            answer = await self._read(f"groups/{group}", {}, deadline)
            if answer.state in RELEASED:
                return await self._arrived(part, group, answer, deadline)
            states.add(answer.state)
        if states <= {"PENDING"}:
            return None
        raise unknown(f"Solapi’s group is in the state {', '.join(sorted(states))}.")

    async def check(self) -> Standing:
        """Its money and points stand for the quota, which Solapi does not have: with none of
        either it sends nothing.
        https://developers.solapi.com/references/cash/getBalance"""
        answer = await self._call("GET", "/cash/v1/balance", ASK_SECONDS)
        if answer.status != 200:
            raise refusal(answer)
        try:
            won, points = float(answer.data["balance"]), float(answer.data["point"])
        except (KeyError, TypeError, ValueError) as error:
            raise unknown("Solapi’s answer cannot be read.", **answer.evidence) from error
        if won + points <= 0:
            raise refused(
                "The balance at Solapi is used up. Charge it in the Solapi console.",
                account_wide=True, **answer.evidence,
            )  # fmt: skip
        return Standing(balance=f"₩{won:,.0f} + {points:,.0f} P" if points else f"₩{won:,.0f}")

    def address_problem(self, address: str) -> Any | None:
        if RECIPIENT.fullmatch(address):
            return None
        return _("Give a Korean mobile number, digits only, such as 01012345678.")

    def recipient_problem(self, address: str) -> Any | None:
        return self.address_problem(address)

    def text_problem(self, text: str) -> Any | None:
        return None if self.config.template_id else sms_text.problem_in(text)

    def length(self, text: str) -> int:
        """Bytes of EUC-KR for SMS and LMS: two for all but ASCII. Alimtalk: UTF-16 units."""
        if self.config.template_id:
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return sms_text.length(text)

    def _body(self, message: Message) -> dict[str, Any]:
        if not isinstance(message, Text):
            return {"text": message.url, "customFields": {KIND_FIELD: "image"}}
        config = self.config
        if not config.template_id:
            return {"text": message.text}
        options: dict[str, Any] = {
            "pfId": config.pf_id,
            "templateId": config.template_id,
            "disableSms": config.fallback != "yes",
        }
        if not config.template_variable:
            return {"type": "ATA", "text": message.text, "kakaoOptions": options}
        options["variables"] = {f"#{{{config.template_variable}}}": message.text}
        return {"type": "ATA", "kakaoOptions": options}

    async def _create(self, payload: Payload, key: UUID, deadline: float) -> str:
        # Several messages to one number are duplicates to Solapi, unless they are allowed.
        repeats = len(payload["messages"]) > 1
        body = {"allowDuplicates": repeats, "customFields": {KEY_FIELD: str(key)}}
        answer = await self._prepared("POST", "groups", body, deadline)
        group = answer.data.get("groupId")
        if not isinstance(group, str) or not group.isalnum():
            raise later("Solapi’s answer names no group; nothing was sent.", **answer.evidence)
        return group

    async def _fill(
        self, group: str, target: Target, payload: Payload, key: UUID, deadline: float
    ) -> list[dict[str, Any]]:
        """Put the messages into the group; gives those that were not registered."""
        to: str | list[str] = list(target.members) or target.address
        own = {"to": to, "from": self.config.sender}
        messages = [
            message
            | own
            | {"customFields": {**message.get("customFields", {}), KEY_FIELD: str(key)}}
            for message in payload["messages"]
        ]
        # aiohttp repeats a PUT by itself where a kept connection was closed. The signature,
        # which is good once, keeps Solapi from adding the messages twice.
        path = f"groups/{group}/messages"
        answer = await self._prepared("PUT", path, {"messages": messages}, deadline)
        return not_registered(answer, len(messages))

    async def _prepared(self, method: str, path: str, body: Payload, deadline: float) -> Answer:
        """A request before the release: whatever becomes of it, nobody is written to."""
        try:
            answer = await self._call(method, path, _left(deadline), json=body)
        except SendError as error:
            raise later(f"Nothing was sent. {error}") from error
        if 200 <= answer.status < 300:
            return answer
        raise refusal(answer)

    async def _release_or_remember(self, group: str, key: UUID, deadline: float) -> Answer:
        """Where nobody knows what became of it, the next try of this part asks first."""
        self._in_doubt.pop(key, None)
        try:
            return await self._release(group, deadline)
        except SendError as error:
            if error.failure is Failure.UNKNOWN:
                self._in_doubt[key] = group
                if len(self._in_doubt) > MOST_IN_DOUBT:
                    del self._in_doubt[next(iter(self._in_doubt))]
            raise

    async def _settled(self, key: UUID, deadline: float) -> Receipt | None:
        """What became of the group of an earlier try; None: it never goes, and a new one may.
        Raises SendError(UNKNOWN) where Solapi does not say: then nothing is sent."""
        group = self._in_doubt[key]
        answer = await self._read(f"groups/{group}", {}, deadline)
        if answer.state == "PENDING":
            answer = await self._release_or_remember(group, key, deadline)
        if answer.state in RELEASED:
            self._in_doubt.pop(key, None)
            return Receipt(answer.status, group, already=True)
        if answer.is_withdrawn:
            del self._in_doubt[key]
            return None
        raise unknown(f"Solapi’s group is in the state {answer.state}.", request_id=group)

    async def _arrived(
        self, part: HandedOver, group: str, answer: Answer, deadline: float
    ) -> Receipt:
        """Raises SendError(REFUSED) where nothing reaches any of its numbers."""
        try:
            results = await self._results_of(group, deadline)
        except SendError:  # that it was released is known all the same
            return Receipt(answer.status, group, already=True)
        if results.failed and not results.others:
            code = next(iter(results.failed.values()))
            raise refused(f"Solapi: {code}", request_id=group, answer=results.evidence)
        return Receipt(answer.status, group, results.evidence, already=True)

    async def _results_of(self, group: str, deadline: float) -> Results:
        """Of each of the group's messages, page by page.
        https://developers.solapi.com/references/messages/groups/getGroupMessages"""
        results, query = Results(), {"limit": PAGE_SIZE}
        for _page in range(MOST_PAGES):
            answer = await self._read(f"groups/{group}/messages", query, deadline)
            results.take_in(answer)
            if not answer.data.get("nextKey"):
                return results
            query["startKey"] = str(answer.data["nextKey"])
        raise unknown("Solapi lists too many messages of this group.")

    async def _release(self, group: str, deadline: float) -> Answer:
        """Each request gets half of the time that is left. A group that stays unreleased is
        deleted in the end, after which it can be released no more."""
        answer: Answer | None = None
        in_doubt = False  # from the first request on that may have released it
        for method, tail in UNTIL_CERTAIN:
            try:
                answer = await self._call(method, f"groups/{group}{tail}", _left(deadline) / 2)
            except SendError as error:
                if error.failure is Failure.LATER and not in_doubt:
                    raise
                answer = None
            if answer and answer.state in RELEASED:
                return answer
            if answer and answer.refuses and not in_doubt:
                raise refusal(answer)
            in_doubt = True
        if answer and answer.is_withdrawn:
            raise later("Solapi did not release the group; it was withdrawn.", **answer.evidence)
        evidence = answer.evidence if answer else {}
        raise unknown("Whether Solapi sent it cannot be told.", request_id=group, **evidence)

    async def _groups_of(self, part: HandedOver, deadline: float) -> set[str]:
        """The groups of that time with its key: through a room's messages, or among all."""
        start, end = part.at - SKEW_SECONDS, part.at + SKEW_SECONDS
        query = {"startDate": date_of(start), "endDate": date_of(end)}
        path, name = "groups", "groupList"
        if part.target.address:
            path, name, query["to"] = "list", "messageList", part.target.address
        found: set[str] = set()
        for _page in range(MOST_PAGES):
            answer = await self._read(path, query, deadline)
            found |= with_key(answer, name, part.key)
            if not answer.data.get("nextKey"):
                return found
            query["startKey"] = str(answer.data["nextKey"])
        raise unknown("Solapi lists too many groups to find this one.")

    async def _read(self, path: str, query: dict[str, str], deadline: float) -> Answer:
        """What Solapi says to a question. Raises SendError(UNKNOWN) where it says nothing."""
        try:
            answer = await self._call("GET", path, _left(deadline), params=query)
        except SendError as error:
            raise unknown("Solapi could not be asked.") from error
        if answer.status != 200 or not answer.data:
            raise unknown(f"Solapi could not say: {answer.message}", **answer.evidence)
        return answer

    async def _call(self, method: str, path: str, seconds: float, **more: Any) -> Answer:
        headers = {
            "Authorization": authorization(self.config.api_key, self.config.api_secret, self.now()),
            "Content-Type": "application/json",
        }
        url = urljoin(f"{self.host}/messages/v4/", path)
        more["timeout"] = within(max(round(seconds, 2), 0.05))  # aiohttp takes 0 for "none"
        with wire_failures():
            async with self.http.request(
                method, url, headers=headers, allow_redirects=False, **more
            ) as response:
                return await take_in(response)


def _bubble(message: dict[str, Any]) -> Bubble:
    if message.get("customFields", {}).get(KIND_FIELD) == "image":
        return Bubble("image", url=message["text"], note=sms_text.kind_of(message["text"]))
    if "text" in message:
        note = "" if "kakaoOptions" in message else sms_text.kind_of(message["text"])
        return Bubble("text", text=message["text"], note=note)
    [text] = message["kakaoOptions"]["variables"].values()
    return Bubble("text", text=text)


def _left(deadline: float) -> float:
    return deadline - asyncio.get_running_loop().time()
