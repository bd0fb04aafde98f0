"""Findings: what stands against a run, or could not be looked at, before its time. Pure.

Kept as facts and said in the language of whoever reads them.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from logs.said import retell

NAMED = 3  # rooms that a sentence names; of the others it says how many they are

Facts = Mapping[str, Any]


class What(StrEnum):
    """The kinds of what is found."""

    UNIT_OFF = "unit_off"
    NO_ROOM = "no_room"
    NOBODY = "nobody"
    AUDIENCE_OFF = "audience_off"
    REACH = "reach"
    ROOM_OFF = "room_off"
    LEFT = "left"
    ACCOUNT_OFF = "account_off"
    STOPPED = "stopped"
    SPENT = "spent"
    CREDENTIALS = "credentials"
    UNFILLED = "unfilled"
    CONTENT = "content"
    REFUSED = "refused"
    IMAGE = "image"
    QUOTA = "quota"
    BUDGET = "budget"
    UNSEEN = "unseen"  # it could not be looked at: that says nothing against the run
    SAMPLE = "sample"  # only some of many rooms were asked


@dataclass(frozen=True)
class Finding:
    """One of them. `facts` are plain values; secrets and what is out of the reach of those who
    see the schedule must not be among them."""

    what: What
    facts: Facts = field(default_factory=dict)

    @property
    def is_trouble(self) -> bool:
        """Whether something will not be sent as things stand."""
        return self.what not in (What.UNSEEN, What.SAMPLE)

    @property
    def words(self) -> str:
        """What is wrong, in a sentence."""
        facts = self.facts
        if "why" in facts:  # what a channel has said, as it is stored
            facts = {**facts, "why": retell(facts["why"])}
        return WORDS[self.what](facts)

    @property
    def advice(self) -> str:
        """What a person does about it; "" where there is nothing to do."""
        say = ADVICE.get(self.what)
        return say() if say else ""

    @property
    def field(self) -> str:
        """The field of the form that a channel finds fault with; "" where it named none."""
        return str(self.facts.get("field", "")) if self.what == What.REFUSED else ""

    def as_json(self) -> dict[str, Any]:
        return {"what": self.what.value, "facts": dict(self.facts)}


def read_back(stored: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """From what `as_json` gave; what a newer version has found is left out."""
    known = set(What)
    return [Finding(What(row["what"]), row["facts"]) for row in stored if row["what"] in known]


def named(names: Sequence[str]) -> dict[str, Any]:
    """The facts of a finding that concerns these rooms."""
    return {"rooms": list(names[:NAMED]), "count": len(names)}


def digest(findings: Iterable[Finding]) -> str:
    """The same for the same troubles, though figures or wordings may differ; "" for none."""
    same = ("channel", "rooms", "count", "image", "names")
    facts = [
        [finding.what.value, {name: finding.facts.get(name) for name in same}]
        for finding in findings
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest() if facts else ""


def _rooms(facts: Facts) -> str:
    listed = ", ".join(f"“{name}”" for name in facts["rooms"])
    more = facts["count"] - len(facts["rooms"])
    return _("%(rooms)s and %(more)d more") % {"rooms": listed, "more": more} if more else listed


def _of_rooms(words: str, facts: Facts) -> str:
    return words % {**facts, "rooms": _rooms(facts)}


def _short(facts: Facts) -> str:
    if facts.get("is_above"):
        return _("needs %(needs)s; a budget above its unit leaves less") % facts
    if facts.get("month"):
        return _("needs %(needs)s, %(left)s left in %(month)s") % facts
    return _("needs %(needs)s, %(left)s left this month") % facts


def _refused(facts: Facts) -> str:
    if "image" in facts:
        words = _("%(channel)s would not take image %(number)d, “%(image)s”: %(why)s")
    elif facts.get("field") == "text":
        words = _("%(channel)s would not take the text: %(why)s")
    else:
        words = _("%(channel)s would not take the message: %(why)s")
    return words % facts


PARTS: dict[str, Callable[[], str]] = {
    "credentials": lambda: _("whether the credentials hold"),
    "message": lambda: _("whether the channel takes the message"),
    "rooms": lambda: _("whether the bot is in its rooms"),
    "images": lambda: _("whether its images can be fetched"),
}

WORDS: dict[What, Callable[[Facts], str]] = {
    What.UNIT_OFF: lambda f: _("Its unit, or one above it, is inactive."),
    What.NO_ROOM: lambda f: _("It has no room."),
    What.NOBODY: lambda f: _("Nobody is in the audience."),
    What.AUDIENCE_OFF: lambda f: _("The audience is inactive."),
    What.REACH: lambda f: ngettext(
        "A target belongs to another unit now.",
        "%(count)d of its targets belong to another unit now.",
        f["count"],
    ) % f,
    What.ROOM_OFF: lambda f: _of_rooms(ngettext(
        "The room %(rooms)s is inactive.", "These rooms are inactive: %(rooms)s.", f["count"]
    ), f),
    What.LEFT: lambda f: _of_rooms(ngettext(
        "The bot is not in the room %(rooms)s.",
        "The bot is not in these rooms: %(rooms)s.",
        f["count"],
    ), f),
    What.ACCOUNT_OFF: lambda f: _("The %(channel)s account is inactive.") % f,
    What.STOPPED: lambda f: _("The %(channel)s account is stopped: %(why)s") % f,
    What.SPENT: lambda f: _("The %(channel)s account has spent its month: %(why)s") % f,
    What.CREDENTIALS: lambda f: _("%(channel)s refuses the account: %(why)s") % f,
    What.UNFILLED: lambda f: f"{_rooms(f)}: {f['why']}",
    What.CONTENT: lambda f: _("It cannot be sent as it is: %(why)s") % f,
    What.REFUSED: _refused,
    What.IMAGE: lambda f: _("The image “%(image)s” cannot be fetched: %(why)s") % f,
    What.QUOTA: lambda f: _("It does not fit into the account’s month. %(channel)s: %(short)s")
    % {**f, "short": _short(f)},
    What.BUDGET: lambda f: _("It does not fit into the unit’s budget: %(short)s")
    % {"short": _short(f)},
    What.UNSEEN: lambda f: _("It could not be looked at %(part)s (%(channel)s): %(why)s")
    % {**f, "part": PARTS[f["part"]]()},
    What.SAMPLE: lambda f: _("Of %(count)d rooms %(asked)d were asked about.") % f,
}  # fmt: skip

ADVICE: dict[What, Callable[[], str]] = {
    What.UNIT_OFF: lambda: _("Make the unit active again, or pause the schedule."),
    What.NO_ROOM: lambda: _("Edit the schedule and choose a room."),
    What.NOBODY: lambda: _("Look at the audience’s rule or list."),
    What.AUDIENCE_OFF: lambda: _("Make it active again, or choose another."),
    What.REACH: lambda: _("Take it out of the schedule, or ask who moved it."),
    What.ROOM_OFF: lambda: _("Make it active again, or take it out of the schedule."),
    What.LEFT: lambda: _("Invite the bot again, or take the room out of the schedule."),
    What.ACCOUNT_OFF: lambda: _("Ask the account’s manager to make it active again."),
    What.STOPPED: lambda: _("Ask the account’s manager to look at it and to save it anew."),
    What.SPENT: lambda: _("It goes on by itself when the channel has room again."),
    What.CREDENTIALS: lambda: _("Ask the account’s manager for valid credentials."),
    What.UNFILLED: lambda: _(
        "Give the unit a value, or the template a default; shorten what is too long."
    ),
    What.CONTENT: lambda: _("Edit the message."),
    What.REFUSED: lambda: _("Edit the message."),
    What.IMAGE: lambda: _("Upload it again. If others fail too, ask the operator whether the "
                          "public address leads here."),
    What.QUOTA: lambda: _("Send to fewer, or have the account’s month enlarged at its channel."),
    What.BUDGET: lambda: _("Send to fewer, or ask for a larger budget."),
    What.UNSEEN: lambda: _("It is looked at again in two minutes."),
}  # fmt: skip
