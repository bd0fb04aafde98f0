"""Words: the title and the text of a notice, from the alerts in it, in the language in force.
Touches no table."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from channels.models.alert import Alert, AlertKind
from orgs.moments import written

LINES = 10

Counted = Callable[[int], str]

TITLES: dict[str, Counted] = {
    AlertKind.FAILED: lambda n: ngettext(
        "%(n)d message failed for good", "%(n)d messages failed for good", n
    ),
    AlertKind.UNCONFIRMED: lambda n: ngettext(
        "%(n)d message waits for a decision", "%(n)d messages wait for a decision", n
    ),
    AlertKind.MISSED: lambda n: ngettext("%(n)d was not sent", "%(n)d were not sent", n),
    AlertKind.STOPPED: lambda n: ngettext("An account is stopped", "An account is stopped", n),
    AlertKind.FENCED: lambda n: ngettext("All sending is stopped", "All sending is stopped", n),
    AlertKind.STALLED: lambda n: ngettext("Messages are overdue", "Messages are overdue", n),
    AlertKind.BROKEN: lambda n: ngettext("The log does not add up", "The log does not add up", n),
    AlertKind.SILENT: lambda n: ngettext(
        "A part of the machine is silent", "%(n)d parts of the machine are silent", n
    ),
    AlertKind.FOUND: lambda n: ngettext(
        "%(n)d problem was found before its time", "%(n)d problems were found before their time", n
    ),
    AlertKind.QUOTA: lambda n: ngettext("A quota runs short", "A quota runs short", n),
    AlertKind.APPROVAL: lambda n: ngettext(
        "%(n)d waits for approval", "%(n)d wait for approval", n
    ),
    AlertKind.REFUSED: lambda n: ngettext("%(n)d was refused", "%(n)d were refused", n),
    AlertKind.WEBHOOK: lambda n: ngettext(
        "A webhook is switched off", "%(n)d webhooks are switched off", n
    ),
    AlertKind.MOVED: lambda n: ngettext("A unit was moved", "%(n)d units were moved", n),
}

OVER: dict[str, Callable[[], str]] = {
    AlertKind.STOPPED: lambda: _("The account sends again"),
    AlertKind.FENCED: lambda: _("Messages are sent again"),
}

# Where a person looks, and can do something about it.
PLACES: dict[str, str] = {
    AlertKind.FAILED: "/admin/schedules/delivery/?state__exact=failed",
    AlertKind.UNCONFIRMED: "/admin/not-confirmed/",
    AlertKind.MISSED: "/admin/schedules/run/?state__exact=skipped",
    AlertKind.STOPPED: "/admin/channels/account/",
    AlertKind.FENCED: "/admin/fence/",
    AlertKind.STALLED: "/admin/schedules/delivery/?state__exact=planned",
    AlertKind.BROKEN: "/admin/schedules/delivery/",
    AlertKind.SILENT: "/admin/logs/punctuality/",
    AlertKind.FOUND: "/admin/schedules/schedule/",
    AlertKind.QUOTA: "/admin/channels/account/",
    AlertKind.APPROVAL: "/admin/schedules/approval/",
    AlertKind.REFUSED: "/admin/schedules/schedule/?state__exact=draft",
    AlertKind.WEBHOOK: "/admin/channels/webhook/",
    AlertKind.MOVED: "/admin/organisation/",
}


def title_of(alerts: Sequence[Alert], count: int) -> str:
    """What happened, in a line; the last word counts where it began and ended meanwhile."""
    last = alerts[-1]
    if last.is_over and last.kind in OVER:
        words = OVER[last.kind]()
    else:
        words = TITLES[last.kind](count) % {"n": count}
    name, _lines = last.said_in(get_language())
    return f"Teiji: {words} ({name})" if name else f"Teiji: {words}"


def body_of(alerts: Sequence[Alert], count: int, *, unit: str, zone: str) -> str:
    """The first of it line by line, each with its time and the zone, and where to look."""
    each = [line for alert in alerts for line in alert.said_in(get_language())[1]]
    lines = [f"{written(datetime.fromisoformat(at), zone)} · {words}" for at, words in each[:LINES]]
    if count > len(lines):
        more = count - len(lines)
        said = ngettext("… and %(n)d more", "… and %(n)d more", more)
        lines.append(said % {"n": more})
    look = f"{settings.TEIJI_PUBLIC_URL}{PLACES[alerts[-1].kind]}"
    return "\n".join([*([unit, ""] if unit else []), *lines, "", look])
