"""Lines of the log: for people, or as JSON; of a request with its id. None can be forged: what
came from outside stays within the line that tells of it."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler

request_id: ContextVar[str] = ContextVar("request_id", default="")


class Named(logging.Filter):
    """Gives each record the id of the request in which it was made, or from which that came of
    which it tells (`came_of`); "-" where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request = request_id.get() or getattr(record, "came_of", "") or "-"
        return True


class Console(logging.Formatter):
    """One line each; those of a traceback are indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        request = getattr(record, "request", "-")
        name = record.name if request == "-" else f"{record.name} [{request}]"
        said = _plain(record.getMessage())
        line = f"{_moment(record)} {record.levelname} {name} {said}"
        trouble = _traceback(self, record)
        below = [f"    {_plain(part)}" for part in trouble.splitlines()]
        return "\n".join([line, *below])


class Json(logging.Formatter):
    """One JSON object each."""

    def format(self, record: logging.LogRecord) -> str:
        facts = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "request": getattr(record, "request", "-"),
        }
        if trouble := _traceback(self, record):
            facts["traceback"] = trouble
        return json.dumps(facts, ensure_ascii=False, default=str)


class File(WatchedFileHandler):
    """A file that many processes share. While it cannot be written, its lines go to standard error:
    a disk that is full or read-only must not stop what they tell of."""

    _is_said = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # from its opening
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Also from its writing, which the base class catches."""
        trouble = sys.exc_info()[1]
        if not isinstance(trouble, OSError):
            super().handleError(record)
            return
        # Not sys.stderr: within a worker of Celery that is the log again.
        aside = logging.StreamHandler(sys.__stderr__)
        aside.setFormatter(self.formatter)
        if not self._is_said:
            self._is_said = True
            aside.handle(self._told(trouble))
        aside.handle(record)

    def _told(self, trouble: OSError) -> logging.LogRecord:
        said = f"{self.baseFilename} cannot be written ({trouble.strerror}): its lines come here"
        return logging.LogRecord(__name__, logging.ERROR, __file__, 0, said, None, None)


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if record.exc_info and record.exc_info[0]:
        return formatter.formatException(record.exc_info)
    return record.exc_text or ""


def _plain(text: str) -> str:
    """Control characters as they are written in code: a terminal must not obey them either."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
