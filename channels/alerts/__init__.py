"""Alerts to administrators. Whoever has something to tell raises it, in the transaction in which
it happened; a worker gathers what was raised into notices and tells them (docs/operations.md).

    alerts.raise_(kind, subject, unit_path, key=…, name=…, text=…, now=now)
"""

from channels.alerts.places import notify
from channels.alerts.raising import Event, raise_, raise_all
from channels.alerts.routes import of_installation
from channels.models.alert import AlertKind

__all__ = ["AlertKind", "Event", "notify", "of_installation", "raise_", "raise_all"]
