"""LINE's aggregation units, which we call labels, and what it counts.

https://developers.line.biz/en/docs/messaging-api/unit-based-statistics-aggregation/
"""

from datetime import date
from typing import Any

from channels.adapters.base import Payload, SendError, later, refused, unknown
from channels.adapters.counting import Statistics
from channels.adapters.line_answers import Answer, count_in, receipt

UNITS = "customAggregationUnits"
LABELS_A_MONTH = 1000  # names a month and channel; LINE takes messages with more, uncounted
LABEL_PEOPLE = 20  # of fewer it tells nothing, so that nobody is found out
COUNT_AGAIN = 3600.0  # seconds before a day is asked about again that was not counted yet


def labelled(payload: Payload, label: str) -> Payload:
    return {**payload, UNITS: [label]}


def without_label(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if name != UNITS}


def is_to_blame(error: SendError) -> bool:
    """Whether LINE refused a message for its label."""
    details = error.answer.get("details")
    named = [str(d.get("property")) for d in details or () if isinstance(d, dict)]
    return error.status == 400 and bool(named) and all(name.startswith(UNITS) for name in named)


def on(day: date) -> str:
    return f"{day:%Y%m%d}"


def day_count(answer: Answer) -> int:
    """Of the answer about a day. Raises SendError where it has no number, or not yet."""
    told = receipt(answer).answer
    status = told.get("status")
    if status == "ready":
        return count_in(told, "success")
    if status == "unready":
        raise later("LINE has not counted that day yet.", after=COUNT_AGAIN, **answer.evidence)
    if status in ("out_of_service", "unavailable_for_privacy"):
        raise refused(f"LINE does not count that day ({status}).", **answer.evidence)
    raise unknown("LINE’s answer has no status.", **answer.evidence)


def statistics(answer: Answer) -> Statistics:
    overview = receipt(answer).answer.get("overview")
    if not isinstance(overview, dict):
        raise unknown("LINE’s answer has no overview.", **answer.evidence)
    opened, clicked = (_few_or(overview, name) for name in ("uniqueImpression", "uniqueClick"))
    return Statistics(opened, clicked)


def _few_or(overview: dict[str, Any], name: str) -> int | None:
    return None if overview.get(name) is None else count_in(overview, name)
