"""Places: one call of Apprise for one notice, and what is known afterwards."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.utils.translation import gettext as _

from channels.apprise.allowed import Fields, NotAllowed, read
from channels.apprise.call import Answer, call
from channels.apprise.passage import Passage
from channels.apprise.threads import Threads
from channels.outgoing import networks

SECONDS = 15.0
ROOM = 20  # characters that Apprise may need around title and text


@dataclass(frozen=True)
class Said:
    """What a place said: it was taken, it was refused for good, not now, or nobody knows."""

    TAKEN: ClassVar[str] = "taken"
    REFUSED: ClassVar[str] = "refused"
    LATER: ClassVar[str] = "later"
    UNKNOWN: ClassVar[str] = "unknown"

    outcome: str
    why: str = ""


async def tell(url: str, title: str, body: str) -> Said:
    """Tell one place, within SECONDS. Raises nothing that has to do with the place."""
    try:
        service, fields = read(url)
    except NotAllowed as error:
        return Said(Said.REFUSED, str(error))
    text = _cut(body, service.text_length - len(title) - ROOM)
    passage = Passage(networks(settings.TEIJI_OUTGOING_ALLOW))
    try:
        async with asyncio.timeout(SECONDS):
            answer = await Threads(1).run(lambda: _call(passage, fields, title, text))
    except TimeoutError:
        answer = Answer(False)
    return _said(answer, passage)


def notify(url: str, title: str, body: str) -> bool:
    """As `tell`, now, in this thread: a yes or a no. Raises nothing."""
    try:
        _service, fields = read(url)
    except NotAllowed:
        return False
    passage = Passage(networks(settings.TEIJI_OUTGOING_ALLOW))
    return _call(passage, fields, title, body).is_accepted


def _call(passage: Passage, fields: Fields, title: str, body: str) -> Answer:
    return call(fields, title=title, body=body, passage=passage, seconds=SECONDS)


def _said(answer: Answer, passage: Passage) -> Said:
    """What a no means. Closed, the passage lets nothing leave that comes too late."""
    has_left = passage.close()
    if answer.is_accepted:
        return Said(Said.TAKEN)
    if not has_left:
        if passage.refusal:
            return Said(Said.REFUSED, passage.refusal)
        return Said(Said.LATER, _("It could not be reached; nothing was handed over."))
    status = answer.status
    if passage.wait is not None:
        return Said(Said.LATER, _("It asked to come back."))
    if status:
        is_final = 300 <= status < 500 and status not in (408, 429)
        outcome = Said.REFUSED if is_final else Said.LATER
        return Said(outcome, _("It did not take it (HTTP %(status)d).") % {"status": status})
    return Said(Said.UNKNOWN, _("It was handed over, and no certain answer came."))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: max(length - 1, 0)]}…"
