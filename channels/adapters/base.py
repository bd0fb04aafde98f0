"""What an adapter is: one class in one file that speaks one vendor's protocol.

An adapter takes plain values and answers in this module's words. It knows no table, no
schedule and no tenant; the engine asks what it can do and never assumes.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar, Self
from uuid import UUID

import aiohttp
from django.utils.translation import gettext_lazy as _

from channels.adapters.counting import Counting
from channels.adapters.shared import SharedSecrets

Payload = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """Words to show."""

    text: str


@dataclass(frozen=True)
class Picture:
    """An image behind two public URLs: the whole one and a small one."""

    url: str
    preview_url: str
    name: str = ""


Message = Text | Picture


@dataclass(frozen=True)
class Part:
    """One request's worth of content, frozen as it will be sent. JSON-serialisable payload."""

    payload: Payload


@dataclass(frozen=True)
class Bubble:
    """One message as a chat shows it, read back from a payload."""

    kind: str  # "text" or "image"
    text: str = ""
    url: str = ""
    note: Any = ""  # as what the channel sends it, where that depends on the text


@dataclass(frozen=True)
class Limits:
    """What the channel takes. Lengths are counted by `Adapter.length`."""

    text_length: int
    images: int = 10
    messages_per_part: int = 1
    members_per_request: int = 0  # 0: it has no audiences


@dataclass(frozen=True)
class Target:
    """One place to send to, as the vendor names it; or `members`, who get it each for itself."""

    address: str
    name: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """The channel accepted: its own words, kept as evidence."""

    status: int | None = None
    request_id: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    already: bool = False  # accepted at an earlier try of the same key
    queued: bool = False  # taken in, but not yet sent: only asking tells whether it arrived


@dataclass(frozen=True)
class HandedOver:
    """A part that was handed over, as its channel is asked about it."""

    target: Target
    payload: Payload
    key: UUID
    at: float  # Unix seconds


@dataclass(frozen=True)
class Quota:
    """What an account may send in this month, in messages as the channel bills them."""

    limit: int | None  # None: as many as it likes
    used: int


@dataclass(frozen=True)
class Standing:
    """What a channel says of an account that it accepts, each "" where it says nothing of it."""

    name: str = ""  # what it calls the account
    balance: str = ""  # the money left there, as people write it


class EventKind(StrEnum):
    """What a channel tells us."""

    JOINED = "joined"  # our bot is in a group or room from now on
    LEFT = "left"
    FOLLOWED = "followed"  # a person can be written to from now on
    UNFOLLOWED = "unfollowed"
    ECHO = "echo"  # a room has shown a message of ours
    OTHER = "other"  # kept, and nothing done


@dataclass(frozen=True)
class Event:
    """One thing that a channel told us, once or several times."""

    id: str  # the channel's own, the same each time that it is told
    kind: EventKind
    address: str  # the room or the person
    at: float  # Unix seconds
    body: dict[str, Any] = field(default_factory=dict)


class ForgedError(Exception):
    """What came in does not come from the channel, or cannot be read."""


class Failure(StrEnum):
    """The three ways in which a send does not succeed."""

    REFUSED = "refused"  # the channel said no: trying again cannot help
    LATER = "later"  # nothing was accepted; trying again may help
    UNKNOWN = "unknown"  # it may or may not have been accepted


@dataclass(frozen=True)
class Place:
    """One message of a payload, counted from 0 as `preview` shows them, that the channel finds
    fault with. `why`: its own words, "" where it gives none."""

    message: int
    why: str = ""


class SendError(Exception):
    """A send that was not accepted for certain. `after`: seconds until the channel may be asked
    again, where it said so. `places`: of a refused payload the messages that are at fault.

    `account_wide`: it is the account that is refused (credentials, a spent quota), so that
    nothing else of it can be sent either until a person has seen to it. `spent`: it is the
    month's quota, so that it goes on by itself when there is room again.
    """

    def __init__(
        self,
        failure: Failure,
        message: str,
        *,
        after: float | None = None,
        account_wide: bool = False,
        spent: bool = False,
        status: int | None = None,
        request_id: str = "",
        answer: dict[str, Any] | None = None,
        places: Sequence[Place] = (),
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.after = after
        self.account_wide = account_wide
        self.spent = spent
        self.status = status
        self.request_id = request_id
        self.answer = answer or {}
        self.places = tuple(places)


def refused(message: str, **evidence: Any) -> SendError:
    return SendError(Failure.REFUSED, message, **evidence)


def later(message: str, **evidence: Any) -> SendError:
    return SendError(Failure.LATER, message, **evidence)


def unknown(message: str, **evidence: Any) -> SendError:
    return SendError(Failure.UNKNOWN, message, **evidence)


def option(
    title: Any,
    help_text: Any = "",
    *,
    default: Any = "",
    secret: bool = False,
    url: bool = False,
    choices: Sequence[tuple[str, Any]] = (),
    made: bool = False,
) -> Any:
    """A field of an adapter's Config: from these the account form is made.

    A secret is write-only and encrypted at rest. A field with a default may stay empty.
    `url` fields are checked by the outgoing-URL rules when they are saved. What is `made` is a
    long random secret of ours, shown once.
    """
    metadata = {
        "title": title,
        "help_text": help_text,
        "secret": secret,
        "url": url,
        "choices": choices,
        "made": made,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Config:
    """An account's settings, all text. Subclasses list their fields with `option()`."""

    def problems(self) -> dict[str, Any]:
        """What is wrong, by field name: empty when the account can be used."""
        return {}

    @classmethod
    def load(cls, values: dict[str, Any]) -> Self:
        """From stored values; unknown names (of an older version) are left out."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


async def _no_pictures(url: str) -> bytes:
    raise LookupError("nobody said where pictures are read")


class Adapter(Counting, ABC):
    """One channel. An instance belongs to one account and one event loop."""

    kind: ClassVar[str]
    label: ClassVar[Any]
    config_class: ClassVar[type[Config]] = Config
    limits: ClassVar[Limits]
    length_unit: ClassVar[Any] = _("characters")  # what `length` counts, after a number
    address_help: ClassVar[Any] = ""
    rates: ClassVar[Mapping[str, float]] = {}  # requests per second, by endpoint

    # What the channel can do.
    takes_key: bool = False  # repeats of one key are accepted once
    confirms: bool = False  # can be asked whether a message was accepted
    fetches_images: ClassVar[bool] = False  # by https, from our public address
    guarded: ClassVar[bool] = True  # a tenant chooses the host: the outgoing-URL rules apply
    meters: ClassVar[bool] = False  # bills each message and tells its monthly quota
    meters_if: ClassVar[str] = ""  # the setting without which it bills nothing, if there is one
    quota_zone: ClassVar[str] = "UTC"  # in which its month turns
    hears: ClassVar[bool] = False  # the channel calls us with what happens there
    serial: ClassVar[bool] = False  # takes one message at a time, over all workers
    secrets_last: ClassVar[int] = 0  # days, unless they are renewed in use; 0: for ever
    pulls: ClassVar[bool] = False  # fetches its messages from us by itself

    timeout: float = 10.0  # seconds that one send may take, all its requests together
    host: str = ""  # the vendor's, where there is one; the operator may point it elsewhere

    now: Callable[[], float] = staticmethod(time.time)  # Unix seconds; the engine sets its own
    # The bytes behind a picture's URL, which is our own, for vendors that fetch nothing; the
    # engine sets its own. Raises LookupError where it is gone, OSError where it cannot be read.
    read_picture: Callable[[str], Awaitable[bytes]] = staticmethod(_no_pictures)

    def __init__(
        self, config: Any, http: aiohttp.ClientSession | None = None, *, account_id: int = 0
    ) -> None:
        """`http` may be None for packing, previews and checks. `account_id`: of several ones."""
        self.config = config
        self._http = http
        self.account_id = account_id
        # What the vendor has replaced of them since, by name: the engine stores it.
        self.renewed: dict[str, str] = {}
        self.secrets = SharedSecrets()

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None, f"{self.kind} was made for packing only"
        return self._http

    @classmethod
    def warm_up(cls) -> None:
        """Load what is slow to load, before the first message needs it."""

    async def get_ready(self) -> None:
        """Do what the first message would wait for, and sends nothing: fetch a token. What is
        raised is ignored: the send meets it again."""

    @abstractmethod
    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        """Freeze the messages into parts, in order. `spaced`: people asked for seconds
        between messages, so each message is a part of its own."""

    @abstractmethod
    def preview(self, payload: Payload) -> list[Bubble]:
        """The messages that this payload will show, read from the payload itself."""

    @abstractmethod
    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        """Hand one part over, once, without retrying. Raises SendError, nothing else."""

    async def confirm(self, part: HandedOver) -> Receipt | None:
        """Whether this part has arrived; only where `confirms`. None: it has not, or not yet.
        Raises SendError: UNKNOWN when the channel cannot say, LATER when it has yet to send it
        (`after`: ask again then), REFUSED when it never sends it."""
        raise unknown(f"{self.kind} cannot be asked.")

    def inbound(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """The events of one call by the channel, from the raw body; only where it `hears`.
        Header names are in lower case. Raises ForgedError."""
        raise ForgedError

    async def describe(self, address: str) -> str:
        """What people call this room or person, or "". Raises SendError."""
        return ""

    async def quota(self) -> Quota:
        """This month's quota, from the channel; only where it `meters`. Raises SendError."""
        return Quota(limit=None, used=0)

    async def size(self, address: str) -> int | None:
        """How many people one message to this room is billed for; None where the channel does
        not say. Raises SendError: REFUSED when we are not in it."""
        return None

    async def check(self) -> Standing:
        """Ask the channel whether the account's credentials hold, sending nothing. Raises
        SendError."""
        return Standing()

    @classmethod
    def can_be_checked(cls) -> bool:
        """Whether the channel tells so, sending nothing."""
        return cls.check is not Adapter.check

    async def validate(self, target: Target, payload: Payload) -> None:
        """Ask the channel whether it would take this part, sending nothing. Raises SendError:
        REFUSED, and not `account_wide`, only where the channel finds fault with the part."""

    @classmethod
    def can_be_validated(cls) -> bool:
        """Whether the channel says so, sending nothing."""
        return cls.validate is not Adapter.validate

    @classmethod
    def endpoint(cls, *, batch: bool) -> str:
        """Which of the vendor's endpoints takes a room, or a batch: each has its own limit."""
        return "send"

    @property
    def device(self) -> str:
        """What takes one message at a time where it is `serial`: two accounts may share it."""
        return f"{self.kind}:{self.account_id}"

    def pause_after(self, payload: Payload) -> float:
        """Seconds to leave a serial channel alone after this payload was answered."""
        return 0.0

    def address_problem(self, address: str) -> Any | None:
        """Why this cannot be a room of this channel, or None."""
        return None

    def recipient_problem(self, address: str) -> Any | None:
        """Why this cannot be a person of an audience of this channel, or None."""
        return _("This channel cannot write to audiences.")

    def text_problem(self, text: str) -> Any | None:
        """Why this text cannot be sent whatever its length, or None."""
        return None

    def length(self, text: str) -> int:
        """The text's length as the channel counts it."""
        return len(text)
