"""Stop-watches, and a look at what the database does."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, transaction

Given = TypeVar("Given")

LONGEST = 200  # characters of a query that are shown


def timed(work: Callable[[], Given]) -> tuple[float, Given]:
    """The seconds that it takes, and what it gives."""
    began = time.perf_counter()
    given = work()
    return time.perf_counter() - began, given


def seconds(work: Callable[[], Any]) -> float:
    return timed(work)[0]


def milliseconds(times: list[float]) -> dict[str, float]:
    """The median and the worst of some times in seconds."""
    return {
        "median": round(statistics.median(times) * 1000, 2),
        "worst": round(max(times) * 1000, 2),
    }


@contextmanager
def undone() -> Iterator[None]:
    """A transaction of which nothing remains."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def explained(work: Callable[[], Any]) -> list[str]:
    """The plans of the queries that this work makes, which is undone. What only reads is
    carried out with its costs counted."""
    lines: list[str] = []

    def explain(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        is_reading = sql.lstrip().startswith(("SELECT", "WITH"))
        if not many and (is_reading or sql.startswith("UPDATE")):
            with connection.cursor() as cursor:
                cursor.cursor.execute(f"{_explain(is_reading)} {sql}", values)
                lines.extend([f"-- {' '.join(sql.split())[:LONGEST]}"])
                lines.extend(f"   {row[-1]}" for row in cursor.cursor.fetchall())
        return execute(sql, values, many, context)

    with undone(), connection.execute_wrapper(explain):
        work()
    return lines


def _explain(is_reading: bool) -> str:
    if connection.vendor != "postgresql":
        return "EXPLAIN QUERY PLAN"
    return "EXPLAIN (ANALYZE, BUFFERS)" if is_reading else "EXPLAIN"
