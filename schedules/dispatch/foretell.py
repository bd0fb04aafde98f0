"""Foretell: tells administrators days before an account's month or a unit's budget runs out."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind, Event
from channels.models import QuotaReading
from orgs.models import Unit
from schedules.forecast import Outlook, forecasts, of_budgets

AHEAD = timedelta(days=7)
AT_ONCE = 200  # accounts, or units, of which what comes is counted together

T = TypeVar("T")


class _Whose(NamedTuple):
    """Whose month it is, and in which zone it turns."""

    subject: str
    unit_path: str
    name: str
    zone: str


def look(now: datetime) -> int:
    """Raise an alert for each that runs out soon, by what is scheduled; once for each day on
    which it would. Returns how many do."""
    events = [*_of_accounts(now), *_of_units(now)]
    alerts.raise_all(events, now)
    return len(events)


def _of_accounts(now: datetime) -> Iterator[Event]:
    limited = QuotaReading.objects.filter(limit__isnull=False, read_at__isnull=False)
    # Of one that is stopped, or may not be used, people were told or know.
    used = limited.filter(account__is_active=True, account__stopped_at=None)
    rows = list(used.select_related("account__unit").order_by("account_id"))
    for some in _parts(rows):
        found = forecasts(some, now)
        for reading in some:
            account = reading.account
            whose = _Whose(
                f"account:{account.pk}", account.unit.path, account.name, account.quota_zone
            )
            yield from _event(whose, found[reading.account_id], now)


def _of_units(now: datetime) -> Iterator[Event]:
    units = Unit.objects.filter(monthly_budget__isnull=False, is_active=True)
    for some in _parts(list(units.order_by("id"))):
        found = of_budgets(some, now)
        for unit in some:
            whose = _Whose(f"unit:{unit.pk}", unit.path, unit.name, unit.zone)
            yield from _event(whose, found[unit.path], now)


def _event(whose: _Whose, outlook: Outlook, now: datetime) -> Iterator[Event]:
    at = outlook.runs_out_at
    if at is None or at > now + AHEAD:
        return
    yield Event(
        kind=AlertKind.QUOTA,
        subject=whose.subject,
        unit_path=whose.unit_path,
        # The same day is the same news; another one is told anew.
        key=f"{AlertKind.QUOTA}:{whose.subject}:{at.astimezone(ZoneInfo(whose.zone)):%Y-%m-%d}",
        name=whose.name,
        text=partial(_words, outlook),
        at=at,
    )


def _words(outlook: Outlook) -> str:
    words = _(
        "The first run that does not fit into the month: %(left)s of %(limit)s are left, and "
        "%(coming)s are still coming."
    )
    facts = {"left": outlook.left, "limit": outlook.limit, "coming": outlook.coming}
    return words % {name: f"{count:,}" for name, count in facts.items()}


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
