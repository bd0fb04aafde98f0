"""What it takes for each operation of the document to succeed: what there must be, and a body."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from channels import outgoing
from channels.models import OwnNotice, WebhookDelivery
from config.scoped import rates, tokens
from orgs.clock import database_now
from orgs.models import Deputy
from orgs.reach import SCOPES
from schedules.actions import register
from schedules.archive.put import put
from schedules.dispatch.plan import plan
from schedules.models import ArchivedRun, CalendarFeed, Delivery, Run, SavedFilter, Schedule
from tests.conftest import World
from tests.schedules.api.calling import Caller, caller
from tests.tenants.canaries import make_canaries
from tests.tenants.routes import OWNERS
from tests.tenants.test_bodies import BODIES, Id, filled, send

LONG_AGO = datetime(2024, 6, 9, 9, tzinfo=UTC)  # in a month of which the canaries know nothing
WHY = {"why": "Tests"}
SANDBOX = [{"kind": "text", "text": "Hello"}]


@dataclass
class Scene:
    """The headquarters' manager, and by name the ids that there are; `at` is an appointed time."""

    world: World
    api: Caller
    ids: dict[str, Any]
    make_schedule: Callable[..., Schedule]

    def read(self, path: str) -> Any:
        answer = self.api.get(path)
        assert answer.status_code == 200, (path, answer.content)
        return answer.json()

    def do(self, path: str, body: Any = None) -> Any:
        answer = send(self.api, "post", path, body or {})
        assert answer.status_code < 300, (path, answer.content)
        return answer.json()


def a_daily(scene: Scene) -> None:
    """A schedule that nobody need approve."""
    draft = scene.make_schedule(timing_kind="daily", title="Daily")
    row = register(draft, by=scene.world.people["hq"])
    coming = scene.read(f"/schedules/{row.pk}/occurrences")["results"][1]
    scene.ids |= {"schedule": row.pk, "at": coming["appointed_at"]}


def a_change_of_one(scene: Scene) -> None:
    a_daily(scene)
    scene.do(f"/schedules/{scene.ids['schedule']}/occurrences/{scene.ids['at']}", {"skips": True})


def a_run_that_waits(scene: Scene) -> None:
    row = register(scene.make_schedule(due_in=20), by=scene.world.people["hq"])
    plan(database_now())
    scene.ids |= {"schedule": row.pk, "run": Run.objects.get(schedule=row).pk}


def a_run_that_failed(scene: Scene) -> None:
    a_daily(scene)
    room, now = scene.world.room, database_now()
    run = Run.objects.create(
        schedule_id=scene.ids["schedule"], due_at=now, planned_at=now, title="Daily", total=1,
        unit_path=scene.world.xinyi.path, zone="UTC", state="failed",
        payloads={str(room.account_id): SANDBOX},
    )  # fmt: skip
    failed = Delivery.objects.create(
        run=run, room=room, room_name=room.name, account=room.account, channel="sandbox",
        state="failed", unit_path=run.unit_path, content_hash=uuid4().hex, key=uuid4(),
        priority=50, parts=1, due_at=now, next_try_at=now,
    )  # fmt: skip
    scene.ids |= {"run": run.pk, "failed": failed.pk}


def a_question(scene: Scene) -> None:
    asked = scene.read("/approvals")["results"][0]
    scene.ids |= {"schedule": asked["schedule"], "digest": asked["digest"]}


def an_archived_run(scene: Scene) -> None:
    a_daily(scene)
    Run.objects.create(
        schedule_id=scene.ids["schedule"], due_at=LONG_AGO, planned_at=LONG_AGO, title="Old",
        unit_path=scene.world.xinyi.path, zone="UTC", state="sent",
    )  # fmt: skip
    put(date(2024, 6, 1), now=database_now(), progress=lambda _count: None)
    scene.ids["archivedrun"] = ArchivedRun.objects.get(title="Old").pk


def a_file(scene: Scene) -> None:
    body = {name: scene.ids[name] for name in ("unit", "account")}
    scene.ids["recipientimport"] = scene.do("/imports", body)["id"]


def a_checked_file(scene: Scene) -> None:
    a_file(scene)
    scene.do(f"/imports/{scene.ids['recipientimport']}/check")


def ones_own(scene: Scene) -> None:
    """What each person keeps for themselves."""
    for model in (CalendarFeed, SavedFilter, OwnNotice):
        model._default_manager.update(user=scene.world.people["hq"])


def an_operator(scene: Scene) -> None:
    scene.ids["member"] = Deputy.objects.get().member_id


def given_up(scene: Scene) -> None:
    WebhookDelivery.objects.update(state="failed")


def frozen(scene: Scene) -> None:
    for path in (f"/units/{scene.ids['unit']}", f"/accounts/{scene.ids['account']}"):
        scene.do(f"{path}/freeze", WHY)


def as_read(scene: Scene) -> Any:
    """The room as it was read can be put back."""
    return scene.read(f"/rooms/{scene.ids['room']}")


def a_verdict(scene: Scene) -> Any:
    seen = scene.read(f"/not-confirmed/{scene.ids['doubtful']}")["seen"]
    return {"verdict": "arrived", "seen": seen}


def verdicts(scene: Scene) -> Any:
    seen = a_verdict(scene)["seen"]
    return {"verdict": "arrived", "rows": [{"id": scene.ids["doubtful"], "seen": seen}]}


def an_hour_later(scene: Scene) -> Any:
    at = datetime.fromisoformat(scene.ids["at"])
    return {"due_at": (at + timedelta(hours=1)).isoformat()}


OCCURRENCE = "/schedules/{id}/occurrences/{at}"
# What there must be before it.
BEFORE: dict[str, Callable[[Scene], None]] = {
    "post /accounts/{id}/unfreeze": frozen,
    "post /units/{id}/unfreeze": frozen,
    "get /archive/{id}": an_archived_run,
    "get /archive/{id}/logs": an_archived_run,
    "post /deputies": an_operator,
    "post /fence/lift": lambda scene: scene.do("/fence", WHY),
    "post /imports/{id}/check": a_file,
    "post /imports/{id}/import": a_checked_file,
    "delete /imports/{id}": a_file,
    "post /runs/{id}/pause": a_run_that_waits,
    "post /schedules/{id}/rollback": a_run_that_waits,
    "post /schedules/{id}/retry": a_run_that_failed,
    "get /schedules/{id}/approval": a_question,
    "post /schedules/{id}/approve": a_question,
    "post /schedules/{id}/refuse": a_question,
    "post /schedules/{id}/execute": a_daily,
    "post /schedules/{id}/test-send": a_daily,
    f"get {OCCURRENCE}": a_daily,
    f"post {OCCURRENCE}": a_daily,
    f"post {OCCURRENCE}/move": a_daily,
    f"delete {OCCURRENCE}": a_change_of_one,
    "post /webhooks/{webhook}/deliveries/{id}/resend": given_up,
    **{f"get /{kind}/{{id}}": ones_own for kind in ("feeds", "filters", "notices")},
    **{f"delete /{kind}/{{id}}": ones_own for kind in ("feeds", "filters")},
    "patch /filters/{id}": ones_own,
    "post /notices/{id}/read": ones_own,
}  # fmt: skip
# What it takes, beside the BODIES in which there are ids.
TAKES: dict[str, Any] = {
    **{f"post /{kind}/{{id}}/{act}": WHY
       for kind in ("accounts", "units") for act in ("freeze", "unfreeze")},
    "patch /alert-targets/{id}": {"name": "Renamed"},
    "post /fence": WHY,
    "post /fence/lift": WHY,
    "post /filters": {"page": "schedule", "name": "Late", "query": "q=x"},
    "post /holidays": {"country": "TW", "date": "2032-01-02"},
    "post /not-confirmed/{id}/resolve": a_verdict,
    "post /not-confirmed/resolve": verdicts,
    "post /notices/read": {"until": Id("ownnotice")},
    "put /rooms/{id}": as_read,
    "post /schedules/{id}/approve": {"digest": Id("digest")},
    "post /schedules/{id}/refuse": {"note": "Not today"},
    f"post {OCCURRENCE}": {"skips": True},
    f"post {OCCURRENCE}/move": an_hour_later,
    "patch /units/{id}": {"name": "Renamed"},
}  # fmt: skip
QUERIES: dict[str, dict[str, Any]] = {
    "get /calendar": {"from": "2031-05-01", "to": "2031-05-08"},
    "delete /schedules/batch": {"ids": Id("schedule")},
    "get /units/{id}/move": {"parent": Id("other")},
}


def set_scene(
    world: World, make_schedule: Any, settings: Any, tmp_path: Any, monkeypatch: Any
) -> Scene:
    """With one row of every kind; nothing outside is asked, and nobody asks too often."""
    settings.MEDIA_ROOT, settings.TEIJI_ARCHIVE_ROOT = tmp_path, tmp_path / "archive"
    monkeypatch.setattr(rates, "MOST", 1_000_000)
    monkeypatch.setattr(tokens, "NOTED_EVERY", timedelta(days=1))
    monkeypatch.setattr(outgoing, "_system_lookup", lambda host: ["93.184.216.34"])
    rows = make_canaries(world, make_schedule).rows
    ids = {name: row.pk for name, row in rows.items()}
    doubtful = ids["delivery"]
    ids |= {"top": world.hq.pk, "other": world.north.pk, "test_room": world.test_room.pk}
    return Scene(world, caller(world.people["hq"], *SCOPES), ids | {"doubtful": doubtful},
                 make_schedule)  # fmt: skip


def prepare(name: str, scene: Scene) -> None:
    """What must be there before this operation, as “post /rooms”."""
    if name in BEFORE:
        BEFORE[name](scene)


def ask(api: Caller, name: str, scene: Scene) -> Any:
    """What is answered to it, with ids of rows that are there."""
    method, path = name.split()
    body: Any = TAKES[name] if name in TAKES else (BODIES.get(name) or [{}])[0]
    body = body(scene) if callable(body) else _with_ids(body, scene.ids)
    address = _addressed(path, scene.ids)
    if query := _with_ids(QUERIES.get(name, {}), scene.ids):
        return api(method, f"{address}?{urlencode(query)}")
    return api(method, address) if method in ("get", "delete") else send(api, method, address, body)


def _with_ids(body: Any, ids: dict[str, Any]) -> Any:
    return filled(body, ids, "", 0)


def _addressed(path: str, ids: dict[str, Any]) -> str:
    words = path.split("/")
    for place, word in enumerate(words):
        if word == "{at}":
            words[place] = ids["at"]
        elif word.startswith("{"):
            words[place] = str(ids[OWNERS[words[place - 1]]])
    return "/".join(words)
