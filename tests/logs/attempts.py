"""Attempts as the dispatcher leaves them, for the tests of the figures."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from logs.models import Attempt
from orgs.models import Unit

NUMBERS = count(1)


def accepted(unit: Unit, due_at: datetime, late_ms: int | None = 120, **values: Any) -> Attempt:
    """One that was accepted, late by so much; None: of a part or try that does not count."""
    wire_at = due_at + timedelta(milliseconds=late_ms or 0)
    number = next(NUMBERS)
    facts: dict[str, Any] = {
        "delivery_id": number, "run_id": 1, "schedule_id": 1,
        "schedule_title": f"of {unit.code}", "room_id": 1, "room_name": "room",
        "unit_path": unit.path, "channel": "line", "account_id": 1, "part": 0, "number": 1,
        "key": uuid4(), "due_at": due_at, "claimed_at": due_at, "wire_at": wire_at,
        "answered_at": wire_at, "outcome": "accepted", "lateness_ms": late_ms,
    }  # fmt: skip
    return Attempt.objects.create(**facts | values)
