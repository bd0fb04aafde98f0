"""What a cell says of an opt-out: since when, or only that there is one."""

from datetime import UTC, datetime

YES = {"yes", "y", "true", "1", "예", "네", "是"}
NO = {"", "no", "n", "false", "0", "아니요", "아니오", "否"}
# As Excel writes days in Taiwan and Korea, beside those of ISO 8601.
FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


def opted_out_at(cell: str, now: datetime) -> datetime | None:
    """Since when, at most `now`; None: not at all. Raises ValueError."""
    word = cell.strip().lower()
    if word in NO:
        return None
    return now if word in YES else min(_moment(word.upper()), now)


def _moment(text: str) -> datetime:
    """A time without a zone is one of UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _written_otherwise(text.replace("/", "-"))
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def _written_otherwise(text: str) -> datetime:
    for written in FORMATS:
        try:
            return datetime.strptime(text, written).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(text)
