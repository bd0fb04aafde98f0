"""Every route of the project, with the ids of somebody else's rows filled in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import get_resolver

from tests.tenants.canaries import Canaries

MISSING = 999_999_999

# Routes without a row of ours behind them. Public media (m/) and the addresses at which channels
# call us or fetch from us (in/, pull/, calendar/) have tests of their own: who knows the name may.
NOT_WALKED = (
    "admin/login/", "admin/logout/", "admin/jsi18n/", "admin/password_change/", "admin/r/",
    "admin/(?P<url>", "admin/^(?P<app_label>", "api/(?s)", "^m/", "(?s)^m/", "in/", "pull/",
    "calendar/", "healthz", "readyz", "sign-in/",
)  # fmt: skip

# The segment before an id says whose id it is.
OWNERS = {
    "schedules": "schedule", "runs": "run", "logs": "delivery", "rooms": "room",
    "recipients": "recipient", "images": "image", "media": "image", "templates": "messagetemplate",
    "not-confirmed": "delivery",
    "quota": "quotareading", "history": "history", "filters": "savedfilter",
    "organisation": "unit",
    "freezes": "freeze", "units": "unit", "members": "member", "accounts": "account",
    "webhooks": "webhook", "deliveries": "webhookdelivery", "deputies": "deputy",
    "feeds": "calendarfeed", "my-notices": "ownnotice",
    "audiences": "audience", "imports": "recipientimport", "notices": "ownnotice",
    "archive": "archivedrun", "values": "placeholdervalue",
    "holidays": "holidayexception", "alert-targets": "alerttarget", "alerts": "notice",
}  # fmt: skip

# Words in an address that are no ids.
VALUES = {
    "verb": [
        "pause",
        "resume",
        "cancel",
        "execute",
        "run-soon",
        "take-back",
        "edit",
        "duplicate",
        "delete",
        "discard",
        "shift",
        "priority",
        "check",
        "leave-out-one",
        "move-one",
        "reword-one",
        "restore-one",
    ],
    "run_act": ["pause", "resume"],
    "filter_act": ["open", "close", "remove"],
    "step": ["target", "content", "timing", "review"],
}
WORDS = re.compile(r"<(?:slug|step):(?P<name>\w+)>|\(\?P<\w+>(?P<choices>[a-z]+(?:\|[a-z]+)+)\)")
ID = re.compile(r"\(\?P<(?:pk|image_id|at|webhook)>[^()]*\)|<(?:int:pk|path:object_id|uuid:uid)>")


@dataclass(frozen=True)
class Route:
    """An address with a foreign id in it (or none), and the same with an id of nobody."""

    pattern: str
    foreign: str
    missing: str


def patterns(resolvers=None, prefix: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if resolvers is None else resolvers:
        text = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from patterns(pattern.url_patterns, text)
        else:
            yield text


def routes(canaries: Canaries) -> list[Route]:
    """All routes that must be walked. Fails for one whose parameters it does not know."""
    return [
        fill(pattern, canaries)
        for raw in sorted(set(patterns()))
        if not raw.startswith(NOT_WALKED)
        for pattern in spelled_out(raw.replace("^", "").replace("$", "").replace("\\Z", ""))
    ]


def spelled_out(pattern: str) -> list[str]:
    """The pattern with each value of its words (steps, verbs, alternatives)."""
    match = WORDS.search(pattern)
    if not match:
        return [pattern]
    values = VALUES.get(match["name"]) or match["choices"].split("|")
    return [
        spelled
        for value in values
        for spelled in spelled_out(pattern[: match.start()] + value + pattern[match.end() :])
    ]


def fill(pattern: str, canaries: Canaries) -> Route:
    foreign = missing = pattern
    while match := ID.search(foreign):
        segments = [OWNERS.get(s, s) for s in foreign[: match.start()].rstrip("/").split("/")]
        owner = next((s for s in reversed(segments) if s in canaries.rows), None)
        assert owner, f"the matrix does not know whose id stands in {pattern}"
        if "/register/" in pattern and owner == "schedule":
            owner = "draft"
        row, number, nobody = canaries.rows[owner], str(canaries.rows[owner].pk), str(MISSING)
        if "uuid" in match[0]:
            number, nobody = str(row.uid), "00000000-0000-4000-8000-000000000000"
        foreign = foreign[: match.start()] + number + foreign[match.end() :]
        missing = ID.sub(nobody, missing, count=1)
    assert not re.search(r"[<>()?]", foreign), f"the matrix cannot fill in {pattern}: {foreign}"
    return Route(pattern, f"/{foreign}", f"/{missing}")
