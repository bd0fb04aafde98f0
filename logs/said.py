"""What channels and workers said, in the reader's language.

It is stored in English, as it was said: a log must not depend on who reads it. Here stand the
sentences that are known; what a vendor adds in its own words stays in these.
"""

import re
from functools import lru_cache

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

SAID = [
    _("An image could not be found."),
    _("An image could not be read."),
    _("Another worker renews the account's secrets."),
    _("Apprise could not connect, or did not try; nothing was handed over."),
    _("Apprise did not come back in time; nothing was handed over."),
    _("Could not connect: %(why)s."),
    _("Handed over, but Apprise did not come back in time."),
    _("Handed over, but Apprise says that it failed."),
    _("Handed over, but no answer came: %(why)s."),
    _("IrisLite cannot be asked."),
    _("It asked to come back."),
    _("It could not be reached; nothing was handed over."),
    _("It did not take it (HTTP %(status)d)."),
    _("It has taken nothing for days."),
    _("It is no image but %(kind)s."),
    _("It is not in the storage."),
    _("It said that it is gone for good (HTTP 410)."),
    _("It was handed over, and no certain answer came."),
    _("Its URL cannot be opened with TEIJI_SECRET_KEYS."),
    _("Its time had passed before it stood in the queue."),
    _("Kakao does not accept the refresh token or the app's keys: %(why)s"),
    _(
        "Kakao does not accept the refresh token or the app's keys (%(why)s). Log in to Kakao once "
        "more and save the account with the new refresh token."
    ),
    _("Kakao failed: %(why)s"),
    _("Kakao gave no access token: %(why)s"),
    _("Kakao refused: %(why)s"),
    _("Kakao does not accept the access token: %(why)s"),
    _("The balance at Solapi is used up. Charge it in the Solapi console."),
    _("The account's owner has not consented to sending messages: %(why)s"),
    _("The recipient is no friend of the account's owner: %(why)s"),
    _("The recipient does not want messages of this app: %(why)s"),
    _("The account has sent as many messages this month as Kakao allows: %(why)s"),
    _("The account has sent as many messages today as Kakao allows: %(why)s"),
    _("The recipient has got as many messages today as Kakao allows: %(why)s"),
    _("The recipient has got as many messages of this account today as Kakao allows: %(why)s"),
    _("Kakao takes no more requests for now: %(why)s"),
    _("Kakao's answer says nothing certain (HTTP %(status)s)."),
    _("LINE does not accept the access token: %(why)s"),
    _("LINE does not accept the channel's ID and secret: %(why)s"),
    _("LINE does not count that day (%(status)s)."),
    _("LINE does not let this account send: %(why)s"),
    _("LINE gave no access token (HTTP %(status)s)."),
    _("LINE has not counted that day yet."),
    _("LINE refused a batch and did not say why: %(why)s"),
    _("LINE refused a batch and did not say why (HTTP %(status)s)."),
    _("LINE refused: %(why)s"),
    _("LINE takes none of these ids."),
    _("LINE took part of this batch, and then: %(why)s"),
    _("LINE's answer has no number “%(name)s”."),
    _("LINE's answer says nothing certain (HTTP %(status)s)."),
    _("LINE’s answer has no overview."),
    _("LINE’s answer has no status."),
    _("No mail server is set: TEIJI_ALERT_URLS names none."),
    _("Nothing was sent. %(why)s"),
    _("One picture of a room cannot be told from another."),
    _("Solapi could not be asked."),
    _("Solapi could not say: %(why)s"),
    _("Solapi did not release the group; it was withdrawn."),
    _("Solapi did not take all messages; nothing was sent."),
    _("Solapi lists too many groups to find this one."),
    _("Solapi lists too many messages of this group."),
    _("Solapi refused: %(why)s"),
    _("Solapi: %(why)s"),
    _("Solapi’s answer cannot be read."),
    _("Solapi’s answer cannot be read; nothing was sent."),
    _("Solapi’s answer names no group; nothing was sent."),
    _("Solapi’s group is in the state %(state)s."),
    _("Solapi’s list cannot be read."),
    _("The LINE account is not in this group or room."),
    _("The account cannot be used: %(why)s"),
    _("The answer says nothing certain (HTTP %(status)s)."),
    _("The certificate of the public address does not hold."),
    _("The channel did not answer in time."),
    _("The database does not answer."),
    _("The device could not be asked. %(why)s"),
    _("The device could not say (HTTP %(status)s)."),
    _("The device gave a row without its number."),
    _("The device refused (HTTP %(status)s)."),
    _("The images are too large to go together: put seconds between them."),
    _("The phone could not type it: %(why)s."),
    _("The phone did not fetch it in time. It was withdrawn: not sent."),
    _("The phone fetched it and never said whether it typed it."),
    _("The phone has not said yet whether it typed it."),
    _("This person has no mail address."),
    _("The receiver asked to come back (HTTP %(status)s)."),
    _("The receiver failed (HTTP %(status)s)."),
    _("The receiver redirects (HTTP %(status)s), which is not followed: give the final URL."),
    _("The receiver refused (HTTP %(status)s)."),
    _("The room has got too many messages since then."),
    _("The sandbox could not count."),
    _("The sandbox could not look."),
    _("The sandbox did not answer."),
    _("The sandbox does not know this address."),
    _("The sandbox has reached its pretended monthly limit."),
    _("The sandbox lost its answer."),
    _("The sandbox was told to ask for patience."),
    _("The sandbox was told to refuse."),
    _("The service asked to come back (HTTP %(status)s)."),
    _("The service asked to come back."),
    _("The storage does not answer."),
    _("The worker was lost while it was sending."),
    _("There is nothing to send: the content of its run is damaged."),
    _("There was no time left to ask."),
    _("There was no time left to fetch it."),
    _("This LINE account has reached its monthly limit: %(why)s"),
    _("What stands before the device asked to come back."),
    _("Whether Solapi sent it cannot be told."),
    _("The phone’s queue could not be looked into."),
    _("Whether it stands in the phone’s queue is not known."),
    _("Whether the sandbox shows it is not known."),
    _("Without keys the sandbox cannot tell one message from another."),
    _("%(channel)s cannot be asked."),
    # What is computed when a run is planned, and kept with it.
    _("%(channel)s: needs %(needs)s; %(left)s left this month; %(short)s short"),
    _("%(channel)s: needs %(needs)s; %(left)s left in %(month)s; %(short)s short"),
    "needs %(needs)s; %(left)s left this month; %(short)s short",
    "needs %(needs)s; a budget above its unit leaves less",
    "needs %(needs)s; %(left)s left in %(month)s; %(short)s short",
    "There is no value for %(names)s.",
    "%(channel)s takes no images.",
    "%(channel)s takes at most %(most)d images.",
    "%(channel)s takes at most %(most)d %(unit)s; this is %(length)d.",
    "The filled text has more than %(most)d characters.",
]
GAP = re.compile(r"%\\\((\w+)\\\)[sd]")


def retell(said: str) -> str:
    """The same in the reader's language, where it is a sentence that is known."""
    if not said or (get_language() or "en").startswith("en"):
        return said
    whole = gettext(said)
    if whole != said:
        return whole
    for text, pattern in _patterns():
        if match := pattern.fullmatch(said):
            words = re.sub(r"(%\(\w+\))d", r"\1s", gettext(text))
            return words % {name: retell(part) for name, part in match.groupdict().items()}
    return said


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Those with a gap, each as a pattern; the longest first, since it says most."""
    with_gaps = sorted((text for text in SAID if "%(" in text), key=len, reverse=True)
    return [
        (text, re.compile(GAP.sub(r"(?P<\1>.+)", re.escape(text)), re.DOTALL)) for text in with_gaps
    ]
