"""A wall clock that is wrong, for one process of these tests: what Python code is told of it.

libfaketime would show it to all of the process, but Python's own sleeps and the lock between its
threads fail under it (0.9.10, Python 3.11): such a worker is broken, and its clock no matter.
"""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

TIME, TIME_NS, NOW = time.time, time.time_ns, datetime.now


def install(minutes: float) -> None:
    """Be so far ahead; behind, if negative. What counts seconds, the monotonic clock, is right."""
    ahead = timedelta(minutes=minutes)
    seconds, ns = ahead.total_seconds(), int(ahead.total_seconds()) * 10**9

    def now(tz: tzinfo | None = None) -> datetime:
        moment = (NOW(UTC) + ahead).astimezone(tz)
        return moment if tz else moment.replace(tzinfo=None)

    _replace_function(TIME, lambda: TIME() + seconds)
    _replace_function(TIME_NS, lambda: TIME_NS() + ns)
    _replace_method(datetime, "now", lambda _cls, tz=None: now(tz))
    _replace_method(datetime, "utcnow", lambda _cls: now(UTC).replace(tzinfo=None))
    _replace_method(datetime, "today", lambda _cls: now())
    _replace_method(date, "today", lambda _cls: now().date())


def _replace_function(original: Callable[..., Any], wrong: Callable[..., Any]) -> None:
    """Wherever a module has it by now."""
    for place, module in list(sys.modules.items()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original and place != __name__:
                setattr(module, name, wrong)


def _replace_method(kind: type, name: str, wrong: Callable[..., Any]) -> None:
    """Also of a class that is written in C, which refuses it otherwise."""
    attributes = gc.get_referents(vars(kind))[0]
    attributes[name] = classmethod(wrong)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
