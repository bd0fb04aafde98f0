"""What `bench pages` does within its installation: asks for each page, as a browser would, without
the network. Run by config.bench.inside."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.test import Client

from config.bench import log
from config.bench.phase import say
from config.bench.watch import explained, milliseconds, timed
from orgs.clock import database_now
from orgs.models import User
from schedules.models import Run

SCHEDULES, RUNS, LOG = (
    f"/admin/schedules/{name}/" for name in ("schedule", "run", "delivery")
)  # fmt: skip
TODAY = datetime.now(UTC).date()
MONTH = f"start={TODAY - timedelta(days=21)}&end={TODAY + timedelta(days=21)}"
PAGES = {
    "start": "/admin/",
    "schedules": SCHEDULES,
    "schedules due today": f"{SCHEDULES}?next=today",
    "schedules, searched": f"{SCHEDULES}?q=Notice+77",
    "runs": RUNS,
    "log": LOG,
    "log of four weeks": f"{LOG}?appointed=weeks",
    "log, failed in four weeks": f"{LOG}?appointed=weeks&outcome=failed&tests=no",
    "log, all": f"{LOG}?appointed=all",
    "attempts": "/admin/logs/attempt/",
    "history": "/admin/logs/history/",
    "punctuality": "/admin/logs/punctuality/",
    "not confirmed": "/admin/not-confirmed/",
    "monitor": "/admin/monitor/",
    "calendar": "/admin/calendar/",
    "calendar, list": "/admin/calendar/?view=list",
    "calendar, a month’s events": f"/admin/calendar/events/?{MONTH}",
    "calendar, what failed": f"/admin/calendar/events/?{MONTH}&state=failed",
    "freezes": "/admin/schedules/freeze/",
}
WARM_UP = 2


class Asked:
    """The queries of some pages, and the seconds that they took."""

    def __init__(self) -> None:
        self.queries, self.seconds = 0, 0.0

    def __call__(self, execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, values, many, context)
        finally:
            self.queries, self.seconds = (
                self.queries + 1,
                self.seconds + time.perf_counter() - began,
            )


def work(*, runs: int, turns: int, explain: bool) -> dict[str, Any]:
    """Fill the tables, then ask for each page so many times."""
    took, people = timed(lambda: log.fill(runs, database_now(), say))
    pages = [
        _measured(person, user, page, address, turns=turns, explain=explain)
        for person, user in (("headquarters", people.headquarters), ("branch", people.branch))
        for page, address in PAGES.items()
    ]
    return {"runs": Run.objects.count(), "fill_s": round(took, 1), "pages": pages}


def _measured(
    person: str, user: User, page: str, address: str, *, turns: int, explain: bool
) -> dict[str, Any]:
    client = Client()
    client.force_login(user)

    def ask() -> None:
        answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answers {answer.status_code}.")

    for _turn in range(WARM_UP):
        ask()
    asked = Asked()
    with connection.execute_wrapper(asked):
        times = [timed(ask)[0] for _turn in range(turns)]
    found: dict[str, Any] = {
        "page": page,
        "person": person,
        **{f"{name}_ms": round(value, 1) for name, value in milliseconds(times).items()},
        "database_ms": round(asked.seconds / turns * 1000, 1),
        "queries": asked.queries // turns,
    }
    if explain:
        found["plans"] = explained(ask)
    return found
