"""The log over HTTP: one entry for each delivery, as it was sent."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Room
from logs.models import Attempt
from schedules import actions
from schedules.models import Delivery, Run
from schedules.runs.freeze import freeze, with_content
from schedules.runs.store import store
from tests.schedules.api.calling import ROOT, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def make_run(make_schedule, world):
    """A planned run of a registered schedule, at this time."""

    def make(due_at: datetime, **values: Any) -> Run:
        row = actions.register(make_schedule(**values), by=world.people["xinyi"])
        schedule = with_content(type(row).objects.all()).get(pk=row.pk)
        return store([freeze(schedule, due_at, now=due_at)], due_at)[0]

    return make


def attempt(delivery: Delivery, **values: Any) -> Attempt:
    defaults: dict[str, Any] = {
        "delivery_id": delivery.pk, "run_id": delivery.run_id,
        "schedule_id": delivery.run.schedule_id, "schedule_title": delivery.run.title,
        "room_id": delivery.room_id, "room_name": delivery.room_name,
        "unit_path": delivery.unit_path, "channel": delivery.channel,
        "account_id": delivery.account_id, "part": 0, "number": 1, "key": uuid4(),
        "due_at": delivery.due_at, "answered_at": delivery.due_at, "outcome": "accepted",
    }  # fmt: skip
    return Attempt.objects.create(**defaults | values)


def moment(minutes: int) -> datetime:
    return datetime(2026, 3, 2, 9, minutes, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_is_told_with_each_try(api, body, dispatch):
    made = api.post("/schedules", body()).json()
    run = api.post(f"/schedules/{made['id']}/execute").json()
    dispatch()
    entry = api.get(f"/logs?run={run['id']}").json()["results"][0]
    assert (entry["schedule"], entry["title"], entry["room_name"], entry["channel"]) == (
        made["id"], "Sale", "Xinyi room", "sandbox",
    )  # fmt: skip
    assert entry["content"] == {
        "text": "Everything must go", "images": [], "order": "text_first",
    }  # fmt: skip
    assert (entry["state"], entry["parts_sent"], entry["parts_total"]) == ("sent", 1, 1)
    assert entry["duration_ms"] >= 0
    assert entry["lateness_ms"] >= 0
    assert entry["due_at"] == run["due_at"]
    assert [each["outcome"] for each in entry["attempts"]] == ["accepted"]
    assert api.get(f"/logs/{entry['id']}").json() == entry
    assert api.get(f"/schedules/{made['id']}/logs").json()["results"] == [entry]


def test_the_log_tells_what_was_sent_and_not_what_the_schedule_says_now(api, make_run, make_images):
    daily = {"timing_kind": "daily", "title": "Before"}
    run = make_run(moment(0), images=make_images(2), order="images_first", **daily)
    Delivery.objects.filter(run=run).update(started_at=moment(0))  # or else it were taken back
    later = {"title": "After", "text": "After", "order": "text_first", "images": []}
    assert api.patch(f"/schedules/{run.schedule_id}", later).status_code == 200
    entry = api.get(f"/logs?run={run.pk}").json()["results"][0]
    assert entry["title"] == "Before"
    assert entry["content"] == {
        "text": "Good morning",
        "images": ["image 0.png", "image 1.png"],
        "order": "images_first",
    }


def test_the_channel_s_answer_and_its_error_are_told(api, make_run):
    run = make_run(moment(0))
    delivery = Delivery.objects.get(run=run)
    attempt(delivery, outcome="later", status=503, error="busy", request_id="r-1")
    attempt(delivery, number=2, status=200, answer={"sentMessages": [{"id": "5"}]})
    tries = api.get(f"/logs?run={run.pk}").json()["results"][0]["attempts"]
    assert [(each["number"], each["outcome"], each["status"]) for each in tries] == [
        (1, "later", 503), (2, "accepted", 200),
    ]  # fmt: skip
    assert (tries[0]["error"], tries[0]["request_id"]) == ("busy", "r-1")
    assert tries[1]["answer"] == {"sentMessages": [{"id": "5"}]}


def test_the_log_is_filtered(api, make_run, world):
    early = make_run(moment(0))
    late = make_run(moment(30), rooms=[world.test_room], text="Other")
    Delivery.objects.filter(run=early).update(state="failed")
    first, second = (Delivery.objects.get(run=run).pk for run in (early, late))
    half_past = quote("2026-03-02T18:30:00+09:00")
    for question, wanted in [
        ("", [second, first]),
        (f"schedule={early.schedule_id}", [first]),
        (f"run={late.pk}", [second]),
        (f"room={world.test_room.pk}", [second]),
        ("state=failed", [first]),
        ("channel=sandbox", [second, first]),
        ("channel=line", []),
        (f"due_after={half_past}", [second]),
        (f"due_before={half_past}", [first]),
        ("due_after=2026-03-02T09:00:00Z&due_before=2026-03-02T09:30:00Z", [first]),
    ]:
        assert ids(api.get(f"/logs?{question}")) == wanted
    for wrong in ("state=x", "room=-1", "schedule=a", "due_after=now", "due_before=2026-03-02"):
        response = api.get(f"/logs?{wrong}")
        assert (response.status_code, set(response.json()["errors"])) == (
            400,
            {wrong.split("=")[0]},
        )
    assert set(api.get(f"/schedules/{early.schedule_id}/logs?state=x").json()["errors"]) == {
        "state"
    }


def add_rooms(world: Any, count: int) -> list[Room]:
    return Room.objects.bulk_create(
        Room(unit=world.xinyi, account=world.sandbox, name=f"R{n}", address=f"r{n}")
        for n in range(count)
    )


def test_a_run_to_more_rooms_than_a_page_is_read_to_its_end(api, make_run, world):
    """All have one appointed time, so the cursor has nothing but their order to go by."""
    run = make_run(moment(0))
    template = Delivery.objects.get(run=run)
    columns = [field.attname for field in Delivery._meta.concrete_fields]
    values = {name: getattr(template, name) for name in columns if name not in ("id", "room_id")}
    Delivery.objects.bulk_create(Delivery(**values, room=room) for room in add_rooms(world, 1300))
    seen: list[int] = []
    path = "/logs?page_size=200"
    while path:
        page = api.get(path).json()
        seen += [row["id"] for row in page["results"]]
        path = (page["next"] or "").partition(ROOT)[2]
        assert len(seen) <= 1301
    assert seen == sorted(Delivery.objects.values_list("pk", flat=True), reverse=True)


@pytest.mark.parametrize("of_one_schedule", [False, True])
def test_the_log_asks_as_often_for_thirty_as_for_one(api, make_run, world, of_one_schedule):
    first = make_run(moment(0))
    path = f"/schedules/{first.schedule_id}/logs" if of_one_schedule else "/logs"

    def ask(wanted: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            response = api.get(path)
        assert len(ids(response)) == wanted
        return len(queries)

    api.get(path)  # notes when the token was used
    attempt(Delivery.objects.get(run=first))
    alone = ask(1)
    schedule = with_content(type(first.schedule).objects.all()).get(pk=first.schedule_id)
    for day in range(1, 30):
        due_at = moment(0) + timedelta(days=day)
        run = store([freeze(schedule, due_at, now=due_at)], due_at)[0]
        attempt(Delivery.objects.get(run=run))
    assert ask(30) == alone


def test_an_entry_shows_the_text_as_it_was_filled_for_its_room(api, body, world):
    values = {"text": "Hello {room}", "timing_kind": "now", "date": None, "time": None}
    assert api.post("/schedules", body(**values)).status_code == 201
    (entry,) = api.get("/logs").json()["results"]
    assert entry["content"]["text"] == "Hello Xinyi room"


def test_the_log_is_searched_and_narrowed_to_a_unit(api, world, make_run):
    sale = make_run(moment(0), title="Summer sale", text="One")
    hours = make_run(moment(1), title="Opening hours", text="Other")
    Delivery.objects.filter(run=sale).update(request_id="r-sale-1")
    Delivery.objects.filter(run=hours).update(room_name="Lobby")
    both = [row.pk for row in Delivery.objects.order_by("-due_at")]
    for query, wanted in (
        ("search=SUMMER", both[1:]),
        ("search=lobby", both[:1]),
        ("search=r-sale", both[1:]),
        ("search=nothing", []),
        (f"unit={world.xinyi.pk}", both),
        (f"unit={world.taipei.pk}", []),
        (f"unit={world.xinyi.pk}&search=hours", both[:1]),
    ):
        assert ids(api.get(f"/logs?{query}")) == wanted, query
    own = f"/schedules/{sale.schedule_id}/logs"
    assert ids(api.get(f"{own}?search=summer")) == both[1:]
    assert ids(api.get(f"{own}?search=hours")) == []


def test_the_log_of_one_schedule_gives_the_fields_that_are_asked_for(api, make_run):
    run = make_run(moment(0))
    address = f"/schedules/{run.schedule_id}"
    [entry] = api.get(f"{address}/logs?fields=id,state").json()["results"]
    assert entry == {"id": Delivery.objects.get().pk, "state": "planned"}
    [first, *_others] = api.get(f"{address}/history?fields=verb").json()["results"]
    assert first.keys() == {"verb"}
    assert api.get(f"{address}/logs?fields=title,verb").status_code == 400
