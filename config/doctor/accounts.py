"""Whether the accounts can be used, and somebody is told when they cannot."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings

from channels.adapters import registry
from channels.alerts.routes import untold
from channels.models import Account, AlertTarget, Telling
from channels.secrets import sealed_at
from config import sealed
from config.doctor.finding import Finding, error, examination, ok, warning
from orgs.clock import database_now
from orgs.models import Unit

NAMED = 5
SOON = timedelta(days=21)
DAY = timedelta(days=1)


@examination()
def accounts() -> Finding:
    stopped = Account.objects.filter(is_active=True, stopped_at__isnull=False)
    if names := list(stopped.order_by("name").values_list("name", flat=True)):
        advice = "See why with manage.py check_channels; mend it, then let the account go on."
        return error(f"stopped: {_listed(names)}", advice)
    return ok(f"{Account.objects.filter(is_active=True).count()} in use, none is stopped")


@examination()
def secrets() -> Finding:
    """Whether the present keys open what is stored."""
    if closed := sealed.closed():
        advice = (
            "Put the keys with which they were sealed back into TEIJI_SECRET_KEYS, after the "
            "first one; or enter the credentials anew."
        )
        return error(f"the present keys do not open those of {_listed(closed)}", advice)
    return ok()


@examination()
def tokens() -> Finding:
    """Of channels that replace credentials in use: what is not used for long comes to its end."""
    now, ending = database_now(), []
    lasting = {kind: one.secrets_last for kind, one in registry().items() if one.secrets_last}
    rows = Account.objects.filter(kind__in=lasting, is_active=True).exclude(sealed="")
    for account in rows.order_by("name"):
        stored = sealed_at(account.sealed) or now  # what no key opens is said elsewhere
        left = stored + timedelta(days=lasting[account.kind]) - now
        if left < SOON:
            ending.append(f"{account.name} ({max(left.days, 0)} days)")
    if not ending:
        return ok()
    advice = "Use them (manage.py send_test), or enter new credentials."
    return warning(f"not renewed for long: {_listed(ending)}", advice)


@examination()
def alerts() -> Finding:
    if settings.TEIJI_ALERT_URLS:
        lately = Telling.objects.filter(
            operator__isnull=False, next_try_at__gte=database_now() - DAY
        )
        failed = lately.filter(state=Telling.State.FAILED).order_by("-id").first()
        if failed:
            advice = "Mend it; what it was not told stands under Records, Alerts."
            return warning(f"{failed.to} was not told within the last day: {failed.why}", advice)
        return ok(f"{len(settings.TEIJI_ALERT_URLS)} places of the operators")
    if AlertTarget.objects.filter(is_active=True).exists():
        return warning("only units are told", "Set TEIJI_ALERT_URLS for those who run Teiji.")
    return warning("nobody is told of anything", "Set TEIJI_ALERT_URLS (docs/operations.md).")


@examination()
def told_units() -> Finding:
    """Units of whose failures none of their people are told."""
    names = [unit.name for unit in untold(Unit.objects.filter(is_active=True).order_by("path"))]
    if not names:
        return ok()
    advice = "Add an alert target there, or in a unit above (Connections, Alert targets)."
    return warning(f"nobody of the organisation is told of {_listed(names)}", advice)


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    return ", ".join(shown[:NAMED]) + more
