"""Silence: beat, or a worker, that went round and does so no more. Others do its work, so that
nobody would notice."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind, Event
from schedules.models import Heartbeat

SILENT_AFTER = timedelta(seconds=30)
# Whatever stopped longer ago is not what is wrong now.
MISSED_FOR = {
    Heartbeat.Kind.TICK: timedelta(days=1),
    Heartbeat.Kind.LOOP: timedelta(minutes=10),
}


class Silence:
    """One worker's watch. It tells what it has seen at two looks: right after a start, or a
    database that was away, the others are just about to speak."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, datetime]] = set()

    def look(self, now: datetime) -> int:
        """Raise an alert for each part that is silent still. Returns how many."""
        rows = {(row.pk, row.at): row for row in _silent(now)}
        still = [row for seen, row in rows.items() if seen in self._seen]
        self._seen = set(rows)
        for row in still:
            # One by one: what is told already must not hide another that fell silent since.
            for event in _events(row):
                alerts.raise_all([event], now)
        return len(still)


def _silent(now: datetime) -> list[Heartbeat]:
    return [
        row
        for kind, within in MISSED_FOR.items()
        for row in Heartbeat.lost(kind, now, after=SILENT_AFTER, within=within)
    ]


def _events(row: Heartbeat) -> list[Event]:
    return [
        Event(
            kind=AlertKind.SILENT,
            subject=row.kind,
            unit_path=path,
            key=f"{AlertKind.SILENT}:{row.pk}:{row.at.isoformat()}:{path}",
            name="",
            text=lambda: _words(row),
            at=row.at,
        )
        for path in alerts.of_installation()
    ]


def _words(row: Heartbeat) -> str:
    if row.kind == Heartbeat.Kind.TICK:
        return _("Beat has been silent since then. Messages leave on time: workers plan as well.")
    words = _(
        "The worker %(name)s has been silent since then: it hangs, or was killed. Others take "
        "what it had not handed over."
    )
    return words % {"name": row.name}
