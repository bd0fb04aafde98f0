"""What Solapi's answers mean: of a group, and of each number in it.

https://developers.solapi.com/references/message-status-codes
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp

from channels.adapters.base import SendError, later, refused, unknown

RELEASED = ("SENDING", "COMPLETE")
REGISTERED = "2000"
ON_ITS_WAY = (REGISTERED, "3000")  # accepted; handed on to a phone company or to Kakao
DONE = "4000"
# A message's codes that blame the account: its key, balance, Kakao channel, template, sender.
ACCOUNT_CODES = ("1020", "1030", "1041", "1042", "1062")

KEY_FIELD = "teiji_key"  # names of at most 30 characters, values of at most 100
LONGEST_ANSWER = 4 * 1024 * 1024  # a batch's answer names every number
KEPT_NUMBERS = 20  # of those that failed, with what was said of them, in the receipt
RATE_LIMIT_SECONDS = 1.0  # Solapi names no time


@dataclass(frozen=True)
class Answer:
    """What Solapi said. `data` is empty where that was no JSON object."""

    status: int
    data: dict[str, Any]

    @property
    def state(self) -> str:
        """The group's, where the answer describes one."""
        return str(self.data.get("status", "")) if 200 <= self.status < 300 else ""

    @property
    def is_withdrawn(self) -> bool:
        """Whether it is a group that was deleted before it was released."""
        return self.state == "DELETED" and self.data.get("dateSent", "?") is None

    @property
    def code(self) -> str:
        return str(self.data.get("errorCode", ""))

    @property
    def message(self) -> str:
        """Solapi's own words."""
        words = str(self.data.get("errorMessage") or f"HTTP {self.status}")
        return f"{words} ({self.code})" if self.code else words

    @property
    def evidence(self) -> dict[str, Any]:
        return {"status": self.status, "answer": self.data}

    @property
    def refuses(self) -> bool:
        """No for certain. 409 and InvalidStatus say that a group has been released before."""
        is_no = 400 <= self.status < 500 and self.status not in (408, 409)
        return is_no and self.code != "InvalidStatus"


async def take_in(response: aiohttp.ClientResponse) -> Answer:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LONGEST_ANSWER:
            break
    try:
        data = json.loads(bytes(body))
    except ValueError:
        data = None
    return Answer(response.status, data if isinstance(data, dict) else {})


def refusal(answer: Answer) -> SendError:
    """What an answer means that did not do what was asked, where nothing can have been sent."""
    words = f"Solapi: {answer.message}"
    if answer.status == 429:
        return later(words, after=RATE_LIMIT_SECONDS, **answer.evidence)
    passes = answer.code in ("DuplicatedSignature", "ResourceNotFound")
    if passes or not answer.refuses:
        return later(words, **answer.evidence)
    is_account = answer.status in (401, 402, 403)  # the key is not accepted, the balance is spent
    return refused(words, account_wide=is_account, **answer.evidence)


def not_registered(answer: Answer, wanted: int) -> list[dict[str, Any]]:
    """The messages that will not be sent. Refused where nobody would get all that are wanted."""
    names = ("to", "statusCode", "statusMessage")
    try:
        results = [{name: str(one[name]) for name in names} for one in answer.data["resultList"]]
    except (KeyError, TypeError) as error:
        raise later("Solapi’s answer cannot be read; nothing was sent.") from error
    failed = [one for one in results if one["statusCode"] != REGISTERED]
    good = Counter(one["to"] for one in results if one["statusCode"] == REGISTERED)
    if max(good.values(), default=0) >= wanted:
        return failed
    evidence = {"status": answer.status, "answer": {"notRegistered": failed[:KEPT_NUMBERS]}}
    if not failed:
        raise later("Solapi did not take all messages; nothing was sent.", **evidence)
    code, words = failed[0]["statusCode"], failed[0]["statusMessage"]
    is_account = code in ACCOUNT_CODES
    raise refused(f"Solapi refused: {words} ({code})", account_wide=is_account, **evidence)


def with_key(answer: Answer, name: str, key: UUID) -> set[str]:
    """The groups that this page of a list names with our key."""
    try:
        entries = [
            (one["groupId"], one["customFields"] or {}) for one in answer.data[name].values()
        ]
        return {str(group) for group, own in entries if own.get(KEY_FIELD) == str(key)}
    except (KeyError, TypeError, AttributeError) as error:
        raise unknown("Solapi’s list cannot be read.", status=answer.status) from error


@dataclass
class Results:
    """What is known of the numbers of a group: whom nothing reaches, and why; and the others."""

    failed: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)

    def take_in(self, answer: Answer) -> None:
        """A page of the group's messages. A number has failed where one of its messages has."""
        try:
            rows = [(str(one["to"]), str(one["statusCode"]), one.get("reason"))
                    for one in answer.data["messageList"].values()]  # fmt: skip
        except (KeyError, TypeError, AttributeError) as error:
            raise unknown("Solapi’s list cannot be read.", status=answer.status) from error
        for number, code, reason in rows:
            if code not in (*ON_ITS_WAY, DONE):
                self.failed[number] = f"{reason} ({code})" if reason else code
            else:
                self.others.add(number)
        self.others -= self.failed.keys()

    @property
    def evidence(self) -> dict[str, Any]:
        """As a receipt keeps it."""
        some = dict(sorted(self.failed.items())[:KEPT_NUMBERS])
        return {"refused": sorted(self.failed), "failed": some} if some else {}
