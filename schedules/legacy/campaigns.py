"""What a row of `campaigns`, the LINE sender's table, means. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from schedules.legacy import values as read
from schedules.legacy.values import Unreadable, Values

TABLE = "campaigns"
ZONE = "Asia/Taipei"

STATUSES = ("draft", "scheduled", "sent", "failed")


@dataclass(frozen=True)
class Campaign:
    """One row of campaigns: a text to an audience, once."""

    legacy_id: str
    title: str
    text: str
    rule: str  # names the audience
    due_at: datetime | None
    sent_at: datetime | None
    status: str
    count: int
    error: str


def campaign(values: Values, zone: ZoneInfo) -> Campaign:
    """The campaign that this row holds. Raises Unreadable."""
    found = Campaign(
        legacy_id=read.identifier(values),
        title=read.shorter(values, "title", 255),
        text=read.text(values, "message"),
        rule=read.text(values, "target_audience"),
        due_at=read.moment(values, "scheduled_at", zone),
        sent_at=read.moment(values, "sent_at", zone),
        status=read.one_of(values, "status", STATUSES),
        count=read.number(values, "sent_count"),
        error=read.text(values, "error_message"),
    )
    if found.status != "draft" and not (found.due_at or found.sent_at):
        raise Unreadable("scheduled_at", "it is empty, but the campaign is no draft")
    return found
