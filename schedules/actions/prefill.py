"""What a draft starts with that is made from a template: what was given, else what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from orgs.models import Unit
from schedules.models import MessageTemplate
from schedules.models.prefills import DETAILS, EMPTY
from schedules.recurrence import Kind
from schedules.recurrence.moments import first_moment


@dataclass(frozen=True)
class Prefill:
    """Columns of the draft, and in words what of the template's could not be used as it is."""

    values: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def prefill(
    template: MessageTemplate, unit: Unit, *, now: datetime, given: Mapping[str, Any] | None = None
) -> Prefill:
    """For a draft of this unit. What is `given` counts before what the template says."""
    given = dict(given or {})
    own = {name: value for name, value in template.prefills.items() if name not in given}
    kind = given.get("timing_kind", template.timing_kind)
    if kind:
        own = {name: own[name] for name in own if name not in EMPTY or name in DETAILS[kind]}
    values = {"zone": unit.zone} | own | given
    notes = [_zone_note(own, unit)] if "zone" in own else []
    if _has_passed(own, values, now):
        day = own["date"].isoformat()
        values["date"] = None
        notes.append(
            _("The template’s date, %(date)s, has passed: choose another.") % {"date": day}
        )
    return Prefill(values, [note for note in notes if note])


def _zone_note(own: Mapping[str, Any], unit: Unit) -> str:
    if own["zone"] == unit.zone:
        return ""
    return _(
        "The template’s times are those of %(zone)s; the clock of “%(unit)s” is that of %(own)s."
    ) % {"zone": own["zone"], "unit": unit.name, "own": unit.zone}


def _has_passed(own: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> bool:
    """Whether the template’s day, at the time that holds, is over."""
    if values.get("timing_kind") != Kind.ONCE or "date" not in own or not values.get("time"):
        return False
    moment = datetime.combine(own["date"], values["time"])
    return first_moment(moment, ZoneInfo(values["zone"])).due_at <= now
