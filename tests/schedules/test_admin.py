"""The schedules' pages: within reach, the same number of queries for many rows, acts by POST."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orgs.clock import database_now
from orgs.models import User
from orgs.reach import Role
from schedules import actions
from schedules.models import Delivery, Run, Schedule
from schedules.states import DeliveryState, RunState, ScheduleState
from schedules.templatetags.teiji_answers import answer_in_words
from tests.conftest import World

pytestmark = pytest.mark.django_db

LIST = "/admin/schedules/schedule/"
DAILY = {"timing_kind": "daily", "zone": "Asia/Taipei"}


@pytest.fixture
def registered(make_schedule: Callable[..., Schedule], clerk: User) -> Callable[..., Schedule]:
    def make(**values) -> Schedule:
        number = Schedule.objects.count()
        values = DAILY | {"title": f"Notice {number}", "text": f"Text {number}"} | values
        return actions.register(make_schedule(**values), by=clerk)

    return make


def page_of(schedule: Schedule) -> str:
    return f"{LIST}{schedule.pk}/change/"


def act(desk: Client, schedule: Schedule, verb: str, **values):
    return desk.post(f"{LIST}{schedule.pk}/act/{verb}/", values, follow=True)


def unconfirmed(schedule: Schedule, clerk: User) -> Delivery:
    run = actions.execute(schedule, by=clerk)
    Run.objects.filter(pk=run.pk).update(state=RunState.UNCONFIRMED)
    run.deliveries.update(state=DeliveryState.UNCONFIRMED, claim=None)
    return run.deliveries.get()


@pytest.mark.parametrize("address", [LIST, "/admin/schedules/run/", "/admin/schedules/delivery/"])
def test_a_list_asks_as_much_for_thirty_rows_as_for_one(
    desk: Client, registered: Callable[..., Schedule], clerk: User, address: str
):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert desk.get(address).status_code == 200
        return len(captured)

    actions.execute(registered(), by=clerk)
    queries()
    few = queries()
    for _ in range(29):
        actions.execute(registered(), by=clerk)
    assert queries() == few


def test_the_list_shows_ones_own_and_no_working_copy(
    desk: Client, registered: Callable[..., Schedule], world: World, make_schedule, clerk: User
):
    mine = registered(title="Ours")
    actions.begin_edit(mine, by=clerk)
    make_schedule(unit=world.tainan, title="Foreign", rooms=[world.tainan_room])
    page = desk.get(LIST).content.decode()
    assert page.count(">Ours<") == 1
    assert "Foreign" not in page


def test_the_page_of_one_says_what_comes_and_offers_its_acts(
    desk: Client, registered: Callable[..., Schedule]
):
    page = desk.get(page_of(registered(text="Good morning, all"))).content.decode()
    assert page.count("tj-coming-clock") == 10
    assert "Good morning, all" in page
    assert "Asia/Taipei" in page
    for verb in ("pause", "run", "cancel", "edit", "duplicate"):
        assert f"/act/{verb}/" in page


def test_a_foreign_schedule_answers_like_one_that_is_not_there(
    client: Client, registered: Callable[..., Schedule], world: World
):
    schedule = registered()
    client.force_login(world.people["tainan"])
    assert client.get(page_of(schedule)).status_code == 404
    assert client.get(f"{LIST}999999/change/").status_code == 404
    for verb in ("pause", "run", "cancel", "edit", "duplicate", "discard"):
        assert act(client, schedule, verb).status_code == 404
    schedule.refresh_from_db()
    assert schedule.state == ScheduleState.ACTIVE


def test_a_viewer_sees_the_page_without_a_button_and_cannot_act(
    client: Client, registered: Callable[..., Schedule], world: World
):
    schedule = registered()
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    page = client.get(page_of(schedule)).content.decode()
    assert "/act/" not in page
    for verb in ("pause", "run", "cancel", "edit", "duplicate"):
        assert act(client, schedule, verb).status_code == 404
    assert client.post(f"{LIST}{schedule.pk}/delete/", {"post": "yes"}).status_code == 403
    schedule.refresh_from_db()
    assert (schedule.state, schedule.runs.count()) == (ScheduleState.ACTIVE, 0)


def test_asking_for_a_page_changes_nothing(desk: Client, registered: Callable[..., Schedule]):
    schedule = registered()
    for verb in ("pause", "run", "cancel", "edit", "duplicate"):
        assert desk.get(f"{LIST}{schedule.pk}/act/{verb}/").status_code == 405
    assert Schedule.objects.count() == 1


def test_an_act_needs_the_token_of_the_page(
    clerk: User, registered: Callable[..., Schedule], world: World
):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clerk)
    assert act(strict, registered(), "cancel").status_code == 403


def test_pausing_and_resuming_from_the_page(desk: Client, registered: Callable[..., Schedule]):
    schedule = registered()
    assert "paused" in act(desk, schedule, "pause").content.decode()
    answer = act(desk, schedule, "resume")
    schedule.refresh_from_db()
    assert schedule.state == ScheduleState.ACTIVE
    assert "Resumed" in answer.content.decode()


def test_what_is_refused_is_said(desk: Client, registered: Callable[..., Schedule]):
    answer = act(desk, registered(), "resume")
    assert "Only a paused schedule can be resumed." in answer.content.decode()


def test_run_now_leads_to_the_run(desk: Client, registered: Callable[..., Schedule]):
    answer = act(desk, registered(), "run")
    run = Run.objects.get()
    assert answer.request["PATH_INFO"] == f"/admin/schedules/run/{run.pk}/change/"
    assert run.trigger == Run.Trigger.HAND


def test_duplicating_twice_by_one_click_makes_one_draft(
    desk: Client, registered: Callable[..., Schedule], world: World
):
    schedule, uid = registered(text="Copy me"), uuid4()
    for _ in range(2):
        act(desk, schedule, "duplicate", uid=str(uid))
    draft = Schedule.objects.get(state=ScheduleState.DRAFT)
    assert (draft.text, list(draft.rooms.all())) == ("Copy me", [world.room])


def test_editing_opens_the_form_on_a_copy_and_discarding_closes_it(
    desk: Client, registered: Callable[..., Schedule]
):
    schedule = registered()
    answer = act(desk, schedule, "edit")
    copy = schedule.drafts.get()
    assert answer.request["PATH_INFO"] == f"{LIST}{copy.pk}/register/target/"
    act(desk, schedule, "discard")
    assert not schedule.drafts.exists()


def test_deleting_asks_first_and_keeps_the_runs(
    desk: Client, registered: Callable[..., Schedule], clerk: User
):
    schedule = registered()
    actions.execute(schedule, by=clerk)
    address = f"{LIST}{schedule.pk}/delete/"
    assert schedule.title in desk.get(address).content.decode()
    desk.post(address, {"post": "yes"})
    assert desk.get(page_of(schedule)).status_code == 404
    assert Run.objects.count() == 1


def test_many_are_paused_at_once_and_only_ones_own(
    desk: Client, registered: Callable[..., Schedule], world: World, make_schedule
):
    mine = [registered(), registered()]
    foreign = make_schedule(unit=world.tainan, rooms=[world.tainan_room], **DAILY)
    actions.register(foreign, by=world.people["tainan"])
    chosen = [row.pk for row in [*mine, foreign]]
    desk.post(LIST, {"action": "pause_chosen", "_selected_action": chosen})
    assert Schedule.objects.filter(state=ScheduleState.PAUSED).count() == 2
    foreign.refresh_from_db()
    assert foreign.state == ScheduleState.ACTIVE


def test_what_was_done_to_many_heads_old_values_as_such(
    desk: Client, registered: Callable[..., Schedule], clerk: User
):
    going, gone = registered(), registered()
    actions.pause(gone, by=clerk)
    chosen = {"action": "priority_chosen", "_selected_action": [going.pk, gone.pk]}
    looked_at = desk.post(LIST, chosen).content.decode()
    assert 'data-head="Now"' in looked_at
    chosen = {"action": "pause_chosen", "_selected_action": [going.pk, gone.pk]}
    done = desk.post(LIST, chosen).content.decode()
    assert 'data-head="Before"' in done
    assert 'data-head="Now"' not in done


def test_drafts_lead_to_the_form(desk: Client, make_schedule: Callable[..., Schedule]):
    draft = make_schedule(text="")
    assert desk.get(page_of(draft), follow=True).request["PATH_INFO"].endswith("/content/")


def test_the_page_of_a_run_shows_what_was_sent(
    desk: Client, registered: Callable[..., Schedule], clerk: User, make_images
):
    schedule = registered(text="As it was sent", images=make_images(1))
    run = actions.execute(schedule, by=clerk)
    Schedule.objects.filter(pk=schedule.pk).update(text="Edited later")
    page = desk.get(f"/admin/schedules/run/{run.pk}/change/").content.decode()
    assert "As it was sent" in page
    assert "Edited later" not in page
    image = schedule.images.get()
    assert f'src="/media/{image.pk}/preview"' in page


def test_the_page_of_a_foreign_run_is_not_there(
    client: Client, registered: Callable[..., Schedule], clerk: User, world: World
):
    run = actions.execute(registered(), by=clerk)
    client.force_login(world.people["tainan"])
    assert client.get(f"/admin/schedules/run/{run.pk}/change/").status_code == 404
    delivery = run.deliveries.get()
    assert client.get(f"/admin/schedules/delivery/{delivery.pk}/change/").status_code == 404


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("arrived", "sent"), ("send_again", "planned"), ("leave", "unconfirmed")],
)
def test_an_unconfirmed_delivery_is_decided_at_its_run(
    desk: Client, registered: Callable[..., Schedule], clerk: User, verdict: str, state: str
):
    delivery = unconfirmed(registered(), clerk)
    page = desk.get(f"/admin/schedules/run/{delivery.run_id}/change/").content.decode()
    address = f"/admin/schedules/delivery/{delivery.pk}/resolve/"
    assert address in page
    desk.post(address, {"verdict": verdict})
    delivery.refresh_from_db()
    assert delivery.state == state


def test_a_viewer_decides_nothing(
    client: Client, registered: Callable[..., Schedule], clerk: User, world: World
):
    delivery = unconfirmed(registered(), clerk)
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    address = f"/admin/schedules/delivery/{delivery.pk}/resolve/"
    assert (
        address
        not in client.get(f"/admin/schedules/run/{delivery.run_id}/change/").content.decode()
    )
    assert client.post(address, {"verdict": "arrived"}).status_code == 404
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.UNCONFIRMED


def test_the_send_log_is_narrowed_to_one_run(
    desk: Client, registered: Callable[..., Schedule], clerk: User
):
    first, second = (actions.execute(registered(), by=clerk) for _ in range(2))
    page = desk.get(f"/admin/schedules/delivery/?run={first.pk}").content.decode()
    assert first.title in page
    assert second.title not in page


def test_a_room_that_went_to_another_unit_is_counted_and_not_named(
    desk: Client, registered: Callable[..., Schedule], world: World
):
    schedule = registered(rooms=[world.room])
    world.room.unit, world.room.name = world.tainan, "CANARY"
    world.room.save()
    page = desk.get(page_of(schedule)).content.decode()
    assert "CANARY" not in page
    assert page.count("a room that is no longer yours") == 2  # in the list and at the chat
    act(desk, schedule, "edit")
    copy = schedule.drafts.get()
    for step in ("target", "content", "timing", "review"):
        answer = desk.get(reverse("wizard-step", args=[copy.pk, step]))
        assert answer.status_code == 200
        assert "CANARY" not in answer.content.decode()


def test_a_verdict_about_an_earlier_doubt_settles_no_newer_one(
    desk: Client, registered: Callable[..., Schedule], clerk: User
):
    delivery = unconfirmed(registered(), clerk)
    Delivery.objects.filter(pk=delivery.pk).update(completed_at=database_now())
    delivery.refresh_from_db()
    seen = delivery.completed_at.isoformat()
    page = desk.get(f"/admin/schedules/run/{delivery.run_id}/change/").content.decode()
    assert f'name="seen" value="{seen}"' in page
    address = f"/admin/schedules/delivery/{delivery.pk}/resolve/"
    Delivery.objects.filter(pk=delivery.pk).update(completed_at=database_now())  # tried again
    desk.post(address, {"verdict": "arrived", "seen": seen})
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.UNCONFIRMED
    desk.post(address, {"verdict": "arrived", "seen": delivery.completed_at.isoformat()})
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT


def test_a_run_that_is_under_way_is_asked_for_until_it_is_done(
    desk: Client, registered: Callable[..., Schedule], clerk: User, client: Client, world: World
):
    schedule = registered()
    run = actions.execute(schedule, by=clerk)
    for kind, pk in (("run", run.pk), ("schedule", schedule.pk)):
        page = desk.get(f"/admin/schedules/{kind}/{pk}/change/")
        address = f"/admin/schedules/{kind}/{pk}/state/?seen={page.context['seen']}"
        assert f'hx-get="{address}"' in page.content.decode()
        assert desk.get(address).status_code == 204
        Run.objects.filter(pk=run.pk).update(state=RunState.SENT, sent=1)
        news = desk.get(address)
        assert news.status_code == 200
        assert "hx-get" not in news.content.decode()
        Run.objects.filter(pk=run.pk).update(state=RunState.SENDING, sent=0)
        assert "hx-get" in desk.get(address.split("?", maxsplit=1)[0]).content.decode()
    client.force_login(world.people["tainan"])
    assert client.get(f"/admin/schedules/run/{run.pk}/state/").status_code == 404
    assert client.get(f"/admin/schedules/schedule/{schedule.pk}/state/").status_code == 404


def test_a_delivery_to_the_sandbox_leads_to_its_chat_while_the_room_is_ones_own(
    desk: Client, registered: Callable[..., Schedule], clerk: User, world: World
):
    run = actions.execute(registered(), by=clerk)
    chat = f'href="/admin/channels/room/{world.room.pk}/chat/"'
    address = f"/admin/schedules/run/{run.pk}/change/"
    assert chat in desk.get(address).content.decode()
    world.room.unit = world.tainan
    world.room.save()
    assert chat not in desk.get(address).content.decode()


def test_a_run_is_called_by_its_time_in_its_own_zone(
    registered: Callable[..., Schedule], clerk: User
):
    run = actions.execute(registered(title="Notice"), by=clerk)
    run.due_at = datetime(2026, 1, 12, 0, 0, 1, tzinfo=UTC)
    assert str(run) == "Notice · 2026-01-12 (Mon) 08:00:01 Asia/Taipei"


@pytest.mark.parametrize(
    ("answer", "words"),
    [({"shown": 1}, "shown: 1"), ({"a": {"b": [1, 2]}, "c": None}, "a.b: 1 · a.b: 2 · c: None"),
     ("gone", "gone")],
)  # fmt: skip
def test_an_answer_is_shown_as_names_and_values(answer, words: str):
    assert answer_in_words(answer) == words


def test_a_schedule_that_goes_at_once_does_not_wait_to_be_registered_any_more(
    desk: Client, registered: Callable[..., Schedule]
):
    page = desk.get(page_of(registered(timing_kind="now"))).content.decode()
    assert "as soon as it is registered" not in page


def test_a_long_title_is_whole_on_hover_and_the_send_log_is_called_so(
    desk: Client, registered: Callable[..., Schedule], clerk: User
):
    title = "A title " * 31
    actions.execute(registered(title=title), by=clerk)
    for name in ("schedule", "run", "delivery"):
        page = desk.get(f"/admin/schedules/{name}/").content.decode()
        assert f'title="{title.strip()}' in page
    assert "<title>\n    Send log" in page or "Send log |" in page
    assert "Select record" not in desk.get("/admin/schedules/delivery/").content.decode()


def test_deleting_says_what_becomes_of_what_waits(
    desk: Client, registered: Callable[..., Schedule]
):
    page = desk.get(f"{LIST}{registered().pk}/delete/").content.decode()
    assert "messages that wait now" in page
    assert "the send log and the history stay" in page
