"""The sandbox: rooms and people that exist only in the back office, to try out and to train."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from channels import sandbox
from channels.adapters.base import (
    Adapter,
    Bubble,
    Config,
    HandedOver,
    Limits,
    Message,
    Part,
    Payload,
    Quota,
    Receipt,
    Standing,
    Target,
    Text,
    later,
    option,
    refused,
    unknown,
)
from channels.adapters.wire import database_failures

HANG_SECONDS = 10.0


@dataclass(frozen=True)
class SandboxConfig(Config):
    """How the sandbox behaves."""

    behaviour: str = option(
        _("Behaviour"),
        _("What the sandbox does with each message: for training."),
        default="accept",
        choices=[
            ("accept", _("accept")),
            ("refuse", _("refuse")),
            ("later", _("ask to come back in a minute")),
            ("hang", _("never answer, show nothing")),
            ("lose", _("show the message, lose the answer")),
        ],
    )
    honours_key: str = option(
        _("Recognises repeats"),
        _("Yes: like LINE, a repeated message is shown once. No: like a room bot."),
        default="yes",
        choices=[("yes", _("yes")), ("no", _("no"))],
    )
    quota: str = option(
        _("Messages a month"),
        _("A pretended quota, to try what LINE’s does. Empty: none, and nothing is billed."),
    )
    strangers: str = option(
        _("Unknown addresses"),
        _("Those that begin with this word are refused; others of an audience get the message. "
          "Empty: none."),
    )  # fmt: skip

    def problems(self) -> dict[str, Any]:
        is_number = self.quota.isascii() and self.quota.isdigit() and len(self.quota) <= 9
        return {} if is_number or not self.quota else {"quota": _("Give a whole number.")}

    @property
    def most(self) -> int | None:
        """How many messages a month; None: as many as it likes."""
        return int(self.quota) if self.quota and not self.problems() else None

    def knows(self, address: str) -> bool:
        return not self.strangers or not address.startswith(self.strangers)


class SandboxAdapter(Adapter):
    """Writes into our own tables instead of calling somebody."""

    kind = "sandbox"
    label = _("Sandbox")
    config_class = SandboxConfig
    limits = Limits(text_length=5000, images=10, messages_per_part=5, members_per_request=500)
    address_help = _("Any word: it names the room within this sandbox.")
    guarded: ClassVar[bool] = False
    meters: ClassVar[bool] = True
    meters_if: ClassVar[str] = "quota"

    @property
    def takes_key(self) -> bool:  # type: ignore[override]
        return bool(self.config.honours_key == "yes")

    @property
    def confirms(self) -> bool:  # type: ignore[override]
        return self.takes_key

    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        size = 1 if spaced else self.limits.messages_per_part
        groups = [messages[start : start + size] for start in range(0, len(messages), size)]
        return [Part({"messages": [_body(message) for message in group]}) for group in groups]

    def preview(self, payload: Payload) -> list[Bubble]:
        return [Bubble(**body) for body in payload["messages"]]

    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        behaviour = self.config.behaviour
        if behaviour == "refuse":
            raise refused("The sandbox was told to refuse.", status=400)
        if behaviour == "later":
            raise later("The sandbox was told to ask for patience.", status=429, after=60)
        if behaviour == "hang":
            await asyncio.sleep(HANG_SECONDS)
            raise unknown("The sandbox did not answer.")
        asked = target.members or (target.address,)
        known = [address for address in asked if self.config.knows(address)]
        if not known:
            raise refused("The sandbox does not know this address.", status=400)
        is_new = await self._accept(known, payload, key)
        if behaviour == "lose":
            raise unknown("The sandbox lost its answer.")
        answer: dict[str, Any] = {"shown": len(payload["messages"])}
        if len(known) < len(asked):
            answer["refused"] = sorted(set(asked).difference(known))
        return Receipt(status=200, request_id=str(key), answer=answer, already=not is_new)

    async def check(self) -> Standing:
        if self.config.behaviour == "refuse":
            raise refused("The sandbox was told to refuse.", status=400)
        return Standing()

    async def quota(self) -> Quota:
        """As LINE's: each request is one message for a room, and one for each of an audience's
        people, whatever is packed into it."""
        with database_failures("The sandbox could not count."):
            used = await asyncio.to_thread(sandbox.used, self.account_id, self.quota_zone)
        return Quota(limit=self.config.most, used=used)

    async def confirm(self, part: HandedOver) -> Receipt | None:
        if not self.confirms:
            raise unknown("Without keys the sandbox cannot tell one message from another.")
        with database_failures("The sandbox could not look."):
            found = await asyncio.to_thread(sandbox.has, self.account_id, part.key)
        return Receipt(status=200, request_id=str(part.key), already=True) if found else None

    def recipient_problem(self, address: str) -> Any | None:
        has_spaces = address.split() != [address]
        return _("One word without spaces, such as kim-01.") if has_spaces else None

    async def _accept(self, addresses: Sequence[str], payload: Payload, key: UUID) -> bool:
        try:
            with database_failures("Whether the sandbox shows it is not known."):
                return await asyncio.to_thread(
                    sandbox.accept,
                    self.account_id,
                    addresses,
                    key,
                    payload["messages"],
                    keyed=self.takes_key,
                    most=self.config.most,
                    zone=self.quota_zone,
                )
        except sandbox.Spent as error:
            raise refused(
                "The sandbox has reached its pretended monthly limit.",
                status=429,
                account_wide=True,
                spent=True,
            ) from error


def _body(message: Message) -> dict[str, str]:
    if isinstance(message, Text):
        return {"kind": "text", "text": message.text}
    return {"kind": "image", "url": message.preview_url}
