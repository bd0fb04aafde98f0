"""Apprise: one message to mail, Slack, Telegram, Discord, Teams and others.

Apprise answers with yes or no. What it hands over is watched (`channels.apprise.passage`), so
that a no is told apart: nothing left, the service refused, or nobody knows.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp
from django.conf import settings
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
    Target,
    Text,
    later,
    option,
    refused,
    unknown,
)
from channels.apprise.allowed import SERVICES, NotAllowed, read
from channels.apprise.call import Answer, call, load, make
from channels.apprise.passage import Passage
from channels.apprise.threads import Threads
from channels.outgoing import networks

LONGEST_ROOM = 200
LONGEST_WAIT = 60.0  # seconds, of what a service may ask for
THREADS = 8  # of one account at once


@dataclass(frozen=True)
class AppriseConfig(Config):
    """Where to send, as Apprise writes it."""

    url: str = option(
        _("Apprise URL"),
        _("One place, such as discord://…, slack://…, tgram://… or mailtos://…: see the docs."),
        secret=True,
    )

    def problems(self) -> dict[str, Any]:
        if not self.url:
            return {"url": _("Give the Apprise URL.")}
        try:
            _service, fields = read(self.url)
        except NotAllowed as error:
            return {"url": error.message}
        return {} if make(fields) else {"url": _("Apprise does not accept this URL.")}


class AppriseAdapter(Adapter):
    """Sends to the one place that its account's URL names. Images go as links."""

    kind = "apprise"
    label = _("Apprise (mail, Slack, Telegram, Discord, Teams …)")
    config_class = AppriseConfig
    address_help = _("Any name; the account’s URL is the place. Of a mail it is the subject.")
    limits = Limits(text_length=min(service.text_length for service in SERVICES.values()))
    rates = {"send": 1.0}  # what chat services take of one sender
    fetches_images = True  # people follow the links

    def __init__(
        self, config: Any, http: aiohttp.ClientSession | None = None, *, account_id: int = 0
    ) -> None:
        super().__init__(config, http, account_id=account_id)
        self._threads = Threads(THREADS)
        with contextlib.suppress(NotAllowed, AttributeError):
            service, _fields = read(config.url)
            self.limits = Limits(text_length=service.text_length)  # type: ignore[misc]

    @classmethod
    def warm_up(cls) -> None:
        load()

    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        """A message is a part of its own: one request, which is accepted or is not."""
        return [Part({"messages": [_body(message)]}) for message in messages]

    def preview(self, payload: Payload) -> list[Bubble]:
        return [Bubble(**message) for message in payload["messages"]]

    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        try:
            service, fields = read(self.config.url)
        except NotAllowed as error:
            raise refused(str(error), account_wide=True) from error
        passage = Passage(networks(settings.TEIJI_OUTGOING_ALLOW))
        answer = await self._call(
            passage,
            fields=fields,
            title=target.address if service.has_subject else "",
            body="\n".join(message["text"] or message["url"] for message in payload["messages"]),
        )
        if answer.is_accepted:
            return Receipt(answer={"service": fields["schema"]})
        raise _failure(answer, passage)

    def address_problem(self, address: str) -> Any | None:
        if 0 < len(address) <= LONGEST_ROOM and address.isprintable():
            return None
        return _("A room's name has 1 to 200 characters, all printable.")

    async def _call(self, passage: Passage, **message: Any) -> Answer:
        """Call in a thread. Who is too late finds the passage closed: what had not left by
        then never does."""
        seconds = self.timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._threads.run(
                    lambda: call(passage=passage, seconds=seconds, **message)
                )
        except TimeoutError as error:
            if passage.close():
                raise unknown("Handed over, but Apprise did not come back in time.") from error
            raise later("Apprise did not come back in time; nothing was handed over.") from error
        finally:
            passage.close()


def _failure(answer: Answer, passage: Passage) -> SendError:
    """What a no means. The service's own words are not known; they may hold a secret."""
    status = answer.status
    if not passage.close():
        if passage.refusal:
            return refused(passage.refusal)
        return later("Apprise could not connect, or did not try; nothing was handed over.")
    if passage.wait is not None:  # a message is one request: the service did not take it
        return later("The service asked to come back.", after=min(passage.wait, LONGEST_WAIT))
    if status == 429:
        return later("The service asked to come back (HTTP 429).", status=status)
    if status and 300 <= status < 500 and status != 408:
        message = f"The service refused (HTTP {status})."
        return refused(message, status=status, account_wide=status == 401)
    return unknown("Handed over, but Apprise says that it failed.", status=status)


def _body(message: Message) -> dict[str, str]:
    if isinstance(message, Text):
        return {"kind": "text", "text": message.text, "url": ""}
    return {"kind": "image", "text": "", "url": message.url}
