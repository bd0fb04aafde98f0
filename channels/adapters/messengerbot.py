"""MessengerBot R: an app on an Android phone that answers KakaoTalk's notifications.

Nobody can call it: its script fetches from us what is to be typed, and says whether the app
could (`replyRoom` is true or false). It types by the reply field of a notification, so texts
only, into rooms from which the phone has seen a message. https://kbotdocs.dev
"""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from channels import pull
from channels.adapters.base import (
    Adapter,
    Bubble,
    Config,
    HandedOver,
    Limits,
    Message,
    Part,
    Payload,
    Receipt,
    Target,
    Text,
    later,
    option,
    refused,
    unknown,
)
from channels.adapters.wire import database_failures
from channels.pull import Fate

LONGEST_ROOM = 100
WAIT_SECONDS, PAUSE_SECONDS = "180", "2"
ASK_AFTER = 10.0  # seconds: the phone's answer is heard at once, this is for one that got lost


@dataclass(frozen=True)
class MessengerBotConfig(Config):
    """How long a message waits for the phone, and what the phone proves itself by."""

    token: str = option(
        _("Token"),
        _("Teiji makes it. It goes into the phone’s script, which is shown once with it."),
        secret=True,
        made=True,
    )
    wait_seconds: str = option(
        _("Seconds to wait for the phone"),
        _("What it has not fetched by then is withdrawn and counts as not sent: 30 to 600."),
        default=WAIT_SECONDS,
    )
    pause_seconds: str = option(
        _("Seconds between messages"),
        _("KakaoTalk blocks phones that type too fast: 1 to 60."),
        default=PAUSE_SECONDS,
    )

    def problems(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.wait_seconds and _seconds(self.wait_seconds, 30, 600) is None:
            found["wait_seconds"] = _("Give a whole number of seconds from 30 to 600.")
        if self.pause_seconds and _seconds(self.pause_seconds, 1, 60) is None:
            found["pause_seconds"] = _("Give a whole number of seconds from 1 to 60.")
        return found

    @property
    def wait(self) -> int:
        return _seconds(self.wait_seconds, 30, 600) or int(WAIT_SECONDS)

    @property
    def pause(self) -> int:
        return _seconds(self.pause_seconds, 1, 60) or int(PAUSE_SECONDS)

    def is_token(self, given: str) -> bool:
        """Whether this is the account's token; asked in constant time."""
        return bool(self.token) and hmac.compare_digest(self.token.encode(), given.encode())


class MessengerBotAdapter(Adapter):
    """Puts each text into the account's queue, and asks the queue what became of it."""

    kind = "messengerbot"
    label = _("KakaoTalk room bot (MessengerBot)")
    config_class = MessengerBotConfig
    limits = Limits(text_length=5000, images=0)
    length_unit = _("characters (an emoji counts as two)")
    address_help = _("The room’s name, exactly as the phone’s KakaoTalk shows it.")
    guarded: ClassVar[bool] = False
    pulls: ClassVar[bool] = True
    confirms = True

    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        """A text each. Raises ValueError for a picture, which `limits` should have stopped."""
        return [Part({"messages": [_stored(message)]}) for message in messages]

    def preview(self, payload: Payload) -> list[Bubble]:
        return [Bubble("text", text=message["text"]) for message in payload["messages"]]

    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        """Into the queue. Until the phone has said that it typed it, it is only taken in."""
        text = str(payload["messages"][0]["text"])
        fetch_by = datetime.fromtimestamp(self.now() + self.config.wait, UTC)
        with database_failures("Whether it stands in the phone’s queue is not known."):
            told = await asyncio.to_thread(
                pull.put, self.account_id, target.address, key, text, fetch_by=fetch_by
            )
        if told is None:
            raise later("Its time had passed before it stood in the queue.")
        answer = {"queue": str(told.fate)}
        queued = told.fate is not Fate.SHOWN
        return Receipt(200, str(told.uid), answer, already=not queued, queued=queued)

    async def confirm(self, part: HandedOver) -> Receipt | None:
        with database_failures("The phone’s queue could not be looked into."):
            told = await asyncio.to_thread(pull.fate, self.account_id, part.key)
        match told.fate:
            case Fate.SHOWN:
                return Receipt(200, str(told.uid), {"queue": "shown"})
            case Fate.COMING:
                raise later("The phone has not said yet whether it typed it.", after=ASK_AFTER)
            case Fate.REFUSED:
                raise refused(f"The phone could not type it: {told.why or 'it did not say why'}.")
            case Fate.WITHDRAWN:
                raise refused("The phone did not fetch it in time. It was withdrawn: not sent.")
            case Fate.LOST:
                raise unknown("The phone fetched it and never said whether it typed it.")
        return None

    def address_problem(self, address: str) -> Any | None:
        is_name = 0 < len(address) <= LONGEST_ROOM and address.isprintable()
        if is_name and address == address.strip():
            return None
        return _("Write the room’s name as KakaoTalk shows it: 1 to 100 characters, one line.")

    def length(self, text: str) -> int:
        """In UTF-16 units, as the app’s own language counts."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _stored(message: Message) -> dict[str, str]:
    if not isinstance(message, Text):
        raise ValueError(_("MessengerBot types no images."))
    return {"type": "text", "text": message.text}


def _seconds(given: str, least: int, most: int) -> int | None:
    """The number, where it is one between these."""
    if not (given.isascii() and given.isdigit() and len(given) < 4):
        return None
    return int(given) if least <= int(given) <= most else None
