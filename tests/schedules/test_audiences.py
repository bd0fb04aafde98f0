"""A schedule goes to an audience instead of rooms: registered in steps and by the API."""

import pytest

from channels.models import Account, Audience
from orgs.reach import Role
from schedules.actions import Refused, begin_edit, change, duplicate, execute, register
from schedules.models import Run, Schedule
from tests.schedules.api.calling import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def audience(make_audience) -> Audience:
    return make_audience(3)


@pytest.fixture
def to_audience(make_schedule, audience):
    """A draft to the audience; any column can be given."""

    def make(**values) -> Schedule:
        return make_schedule(**{"rooms": [], "audience": audience} | values)

    return make


def refused(draft: Schedule, by) -> dict[str, list[str]]:
    with pytest.raises(Refused) as caught:
        register(draft, by=by)
    return caught.value.problems


def test_it_is_registered_and_the_history_names_it(world, to_audience):
    schedule = register(to_audience(), by=world.people["xinyi"])
    assert (schedule.state, schedule.audience.name) == ("active", "Members")


@pytest.mark.parametrize(
    ("change_it", "words"),
    [
        ({"is_active": False}, "is inactive"),
        ({"unit": "tainan"}, "does not belong"),
        ({"empty": True}, "Nobody is in"),
    ],
)
def test_an_audience_that_cannot_be_written_to_is_refused(
    world, to_audience, audience, change_it, words
):
    if change_it.pop("empty", False):
        audience.recipients.clear()
    if "unit" in change_it:
        change_it = {"unit": world.tainan}
    Audience.objects.filter(pk=audience.pk).update(**change_it)
    draft = Schedule.objects.get(pk=to_audience().pk)
    assert words in refused(draft, world.people["hq"])["audience"][0]


def test_of_an_inactive_account_the_audience_is_not_called_inactive(world, to_audience, audience):
    Account.objects.filter(pk=audience.account_id).update(is_active=False)
    draft = Schedule.objects.get(pk=to_audience().pk)
    (said,) = refused(draft, world.people["hq"])["audience"]
    assert said.endswith("account is inactive. Ask the account’s manager to make it active again.")


def test_people_are_not_written_what_a_unit_calls_their_audience(world, to_audience):
    by = world.people["xinyi"]
    assert "room" in str(refused(to_audience(text="Dear {room}"), by)["text"])
    assert register(to_audience(text="Until {date}"), by=by).state == "active"


def test_rooms_and_an_audience_do_not_go_together(world, to_audience):
    draft = to_audience(rooms=[world.room])
    assert refused(draft, world.people["xinyi"])["audience"] == [
        "Choose either rooms or an audience."
    ]


def test_the_limits_are_those_of_the_audiences_channel(world, to_audience):
    found = refused(to_audience(text="x" * 5001), world.people["xinyi"])
    assert "LINE takes at most 5000 characters" in found["text"][0]


def test_the_same_to_the_same_audience_at_the_same_time_is_a_duplicate(world, to_audience):
    first = register(to_audience(), by=world.people["xinyi"])
    twin = to_audience(date=first.date, time=first.time)
    assert "already sends the same content" in refused(twin, world.people["xinyi"])["__all__"][0]


def test_run_now_plans_its_batches(world, to_audience):
    schedule = register(to_audience(), by=world.people["xinyi"])
    run = execute(schedule, by=world.people["xinyi"])
    assert Run.objects.get(pk=run.pk).total == 1


def test_an_edit_and_a_duplicate_keep_the_audience(world, to_audience, audience):
    by = world.people["xinyi"]
    schedule = register(to_audience(), by=by)
    copy = begin_edit(schedule, by=by)
    Schedule.objects.filter(pk=copy.pk).update(text="Corrected")
    change(Schedule.objects.get(pk=copy.pk), by=by)
    schedule.refresh_from_db()
    assert (schedule.text, schedule.audience) == ("Corrected", audience)
    twin = duplicate(schedule, by=by, uid=Schedule._meta.get_field("uid").get_default())
    assert (twin.audience, list(twin.rooms.all())) == (audience, [])


# The pages.


@pytest.fixture
def desk(client, world):
    client.force_login(world.people["xinyi"])
    return client


def address(draft: Schedule, step: str) -> str:
    return f"/admin/schedules/schedule/{draft.pk}/register/{step}/"


def test_the_first_step_offers_audiences_where_there_are_some(desk, make_schedule, make_audience):
    draft = make_schedule()
    assert "Choose an audience" not in desk.get(address(draft, "target")).content.decode()
    make_audience(1)
    page = desk.get(address(draft, "target")).content.decode()
    assert "Choose an audience" in page
    assert "Members" in page


def post_target(desk, draft: Schedule, **values):
    page = desk.get(address(draft, "target"))
    form = page.context["form"]
    marks = {name: page.context["marks"][name] for name in ("revision", "seen")}
    given = {"title": draft.title, "description": "", "unit": form.draft.unit_id} | marks | values
    return desk.post(address(draft, "target"), given)


def test_choosing_an_audience_takes_the_rooms_out_and_back(desk, world, make_schedule, audience):
    draft = make_schedule()
    post_target(desk, draft, kind="audience", audience=audience.pk, rooms=[world.room.pk])
    draft.refresh_from_db()
    assert (draft.audience, list(draft.rooms.all())) == (audience, [])
    post_target(desk, draft, kind="live", audience=audience.pk, rooms=[world.room.pk])
    draft.refresh_from_db()
    assert (draft.audience, list(draft.rooms.all())) == (None, [world.room])


def test_a_foreign_audience_cannot_be_chosen(desk, world, make_schedule, audience):
    Audience.objects.update(unit=world.tainan)
    draft = make_schedule()
    post_target(desk, draft, kind="audience", audience=audience.pk)
    draft.refresh_from_db()
    assert draft.audience is None


def test_the_review_and_the_page_say_who_gets_it(desk, world, to_audience):
    draft = to_audience()
    words = "3 people of “Members”"
    assert words in desk.get(address(draft, "review")).content.decode()
    schedule = register(draft, by=world.people["xinyi"])
    page = desk.get(f"/admin/schedules/schedule/{schedule.pk}/change/").content.decode()
    assert words in page
    assert "Each person of “Members”" in page
    assert "an audience" in desk.get("/admin/schedules/schedule/").content.decode()


# The API.


def test_the_api_registers_to_an_audience_and_hides_those_of_others(world, audience):
    api = caller(world.person(world.xinyi, Role.OPERATOR))
    body = {"title": "Notice", "text": "Hello", "rooms": [], "audience": audience.pk,
            "timing_kind": "daily", "time": "09:00"}  # fmt: skip
    made = api.post("/schedules", body)
    assert (made.status_code, made.json()["audience"]) == (201, audience.pk)
    Audience.objects.update(unit=world.tainan)
    foreign, missing = (
        api.post("/schedules", body | {"audience": pk, "title": "Other"}).json()["errors"]
        for pk in (audience.pk, 999_999)
    )
    assert foreign["audience"][0].replace(str(audience.pk), "") == missing["audience"][0].replace(
        "999999", ""
    )


def test_an_audience_is_chosen_knowing_its_channel_and_what_that_promises(
    client, world, to_audience
):
    client.force_login(world.people["hq"])
    page = client.get(f"/admin/schedules/schedule/{to_audience().pk}/register/target/")
    assert "Members · LINE · exactly once" in page.content.decode()
