"""What a row of `video`, the streaming platform's table, means. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from schedules.legacy import values as read
from schedules.legacy.values import Unreadable, Values

TABLE = "video"
TIME = "scheduled_publish_at"
TO_COME = "draft"


@dataclass(frozen=True)
class Video:
    """One row of video: when it was to be published, if a time was ever given."""

    legacy_id: str
    title: str
    due_at: datetime | None
    status: str

    @property
    def is_over(self) -> bool:
        return self.status != TO_COME


def video(values: Values, zone: ZoneInfo) -> Video:
    """The video that this row holds. Raises Unreadable."""
    if TIME not in values:
        raise Unreadable(TIME, "the table has no such column")
    return Video(
        legacy_id=read.identifier(values),
        title=read.shorter(values, "title", 255),
        due_at=read.moment(values, TIME, zone),
        status=read.needed(values, "status").lower(),
    )
