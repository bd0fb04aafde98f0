"""What an account can promise: derived here, and nowhere else, from what its channel can do."""

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from channels.adapters import registry


class Promise(TextChoices):
    """How often a message arrives of which the channel's answer was lost."""

    ONCE = "once", _("exactly once")
    ASKS = "asks", _("asks when unsure")
    TWICE = "twice", _("may arrive twice")
    GONE = "gone", _("channel not installed")

    @property
    def meaning(self) -> Any:
        """For people who choose where to send."""
        return MEANINGS[self]


MEANINGS = {
    Promise.ONCE: _(
        "The channel recognises a repeated message. If its answer is lost, Teiji sends again and "
        "the room still sees it once."
    ),
    Promise.ASKS: _(
        "The channel cannot tell a repeated message from a new one. If its answer is lost, nothing "
        "is sent again by itself: the message is “not confirmed”, and you decide."
    ),
    Promise.TWICE: _(
        "The channel cannot tell a repeated message from a new one, and this account sends again "
        "when an answer is lost: the room may see a message twice."
    ),
    Promise.GONE: _("Nothing can be sent: ask whoever runs this installation."),
}


def promise_of(kind: str, config: Mapping[str, Any], *, resends: bool) -> Promise:
    """Of an account with this channel, with these settings. `resends`: it has it sent again
    when an answer is lost."""
    adapter_class = registry().get(kind)
    if adapter_class is None:
        return Promise.GONE
    # Of the settings only: to open the secrets of each row of a list would be waste.
    adapter = adapter_class(adapter_class.config_class.load(dict(config)))
    if adapter.takes_key:
        return Promise.ONCE
    return Promise.TWICE if resends else Promise.ASKS
