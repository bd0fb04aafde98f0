"""What is sent: pure. The same code freezes it for sending and shows it to people."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.adapters.base import Adapter, Message, Payload, Picture, Text
from schedules.placeholders import TooLong, fill, has_any, missing

MOST_IMAGES = 10


class Order(TextChoices):
    """The order in which a room sees text and images."""

    TEXT_FIRST = "text_first", gettext_lazy("text first")
    IMAGES_FIRST = "images_first", gettext_lazy("images first")
    TEXT_ONLY = "text_only", gettext_lazy("text only")
    IMAGES_ONLY = "images_only", gettext_lazy("images only")


@dataclass(frozen=True)
class ContentImage:
    """An image of the content: its id, its name, and the digest of its bytes."""

    id: int
    name: str
    sha256: str


@dataclass(frozen=True)
class Content:
    """Text, images, and how they follow each other. `interval` is in seconds; `defaults` are
    the values of placeholders for which a room has none."""

    text: str = ""
    images: tuple[ContentImage, ...] = ()
    order: Order = Order.TEXT_FIRST
    interval: int = 0
    defaults: tuple[tuple[str, str], ...] = ()
    is_filled: bool = False  # what stands in braces now is meant to be seen

    @property
    def digest(self) -> str:
        """The same for what a room would see as the same."""
        facts = [self.order, self.text.strip(), *(image.sha256 for image in self.images)]
        if self.has_placeholders:
            facts += [f"{name}={value}" for name, value in self.defaults]
        return hashlib.sha256("\x00".join(facts).encode()).hexdigest()

    @property
    def sends_text(self) -> bool:
        return bool(self.text.strip()) and self.order != Order.IMAGES_ONLY

    @property
    def has_placeholders(self) -> bool:
        """Whether rooms are sent different texts."""
        is_open = not self.is_filled and self.sends_text and "{" in self.text
        return is_open and has_any(self.text)

    def filled(self, values: Mapping[str, str]) -> "Content":
        """As the room sees it that has these values. Raises TooLong."""
        return replace(self, text=fill(self.text, values), defaults=(), is_filled=True)

    @property
    def sent_images(self) -> tuple[ContentImage, ...]:
        return () if self.order == Order.TEXT_ONLY else self.images

    @property
    def message_count(self) -> int:
        return len(self.sent_images) + self.sends_text

    def messages(self, picture_of: Callable[[ContentImage], Picture]) -> list[Message]:
        """The messages in the order in which the room sees them."""
        texts: list[Message] = [Text(self.text.strip())] if self.sends_text else []
        pictures: list[Message] = [picture_of(image) for image in self.sent_images]
        return pictures + texts if self.order == Order.IMAGES_FIRST else texts + pictures

    def as_json(self) -> dict[str, Any]:
        """As a run's log keeps it."""
        return {
            "text": self.text.strip() if self.sends_text else "",
            "images": [{"id": i.id, "name": i.name, "sha256": i.sha256} for i in self.sent_images],
            "order": str(self.order),
            "interval_seconds": self.interval,
        }


def pack(
    content: Content, adapter: Adapter, picture_of: Callable[[ContentImage], Picture]
) -> list[Payload]:
    """The payloads, one for each part, exactly as they will be sent."""
    messages = content.messages(picture_of)
    return [part.payload for part in adapter.pack(messages, spaced=content.interval > 0)]


class Unfillable(ValueError):  # noqa: N818 - it is an answer, not a fault
    """The placeholders of a text cannot be filled in for a room; the message says why. `names`
    are those without a value."""

    def __init__(self, message: str, names: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.names = names


def fill_in(content: Content, values: Mapping[str, str], adapter: Adapter) -> Content:
    """The content as the room sees it that has these values. Raises Unfillable where one is
    missing, or where the channel would not take the filled text."""
    absent = missing(content.text, values)
    if absent:
        listed = ", ".join(f"{{{name}}}" for name in absent)
        raise Unfillable(_("There is no value for %(names)s.") % {"names": listed}, absent)
    try:
        filled = content.filled(values)
    except TooLong as error:
        raise Unfillable(str(error)) from error
    found = problems(filled, [adapter])
    if found:
        raise Unfillable(" ".join(text for texts in found.values() for text in texts))
    return filled


def problems(content: Content, adapters: Sequence[Adapter]) -> dict[str, list[str]]:
    """Why this content cannot be sent through these channels, by field. How long a text with
    placeholders is, each room must be asked (fill_in)."""
    found: dict[str, list[str]] = {}
    text_needed = content.order == Order.TEXT_ONLY
    images_needed = content.order == Order.IMAGES_ONLY
    if text_needed and not content.text.strip():
        found.setdefault("text", []).append(_("“Text only” needs a text."))
    if images_needed and not content.images:
        found.setdefault("order", []).append(_("“Images only” needs at least one image."))
    if not (text_needed or images_needed or content.text.strip() or content.images):
        found.setdefault("text", []).append(_("Write a text or add an image."))
    if len(content.images) > MOST_IMAGES:
        found.setdefault("images", []).append(
            _("At most %(most)d images can be sent.") % {"most": MOST_IMAGES}
        )
    for adapter in adapters:
        for field, message in _beyond_limits(content, adapter):
            messages = found.setdefault(field, [])
            if message not in messages:  # of two accounts at one channel
                messages.append(message)
    return found


def _beyond_limits(content: Content, adapter: Adapter) -> list[tuple[str, str]]:
    facts = {"channel": adapter.label, "unit": adapter.length_unit}
    beyond = []
    if content.sends_text and not content.has_placeholders:
        beyond += [("text", m) for m in _text_problems(content.text.strip(), adapter, facts)]
    facts["most"] = most = adapter.limits.images
    if content.sent_images and most == 0:
        beyond.append(("images", _("%(channel)s takes no images.") % facts))
    elif len(content.sent_images) > most:
        beyond.append(("images", _("%(channel)s takes at most %(most)d images.") % facts))
    return beyond


def _text_problems(text: str, adapter: Adapter, facts: dict[str, Any]) -> list[str]:
    found = []
    length, most = adapter.length(text), adapter.limits.text_length
    if length > most:
        words = _("%(channel)s takes at most %(most)d %(unit)s; this is %(length)d.")
        found.append(words % (facts | {"length": length, "most": most}))
    if problem := adapter.text_problem(text):
        found.append(f"{adapter.label}: {problem}")
    return found
