"""Who sees and does what: the same answer for what is out of reach and what does not exist."""

import pytest

from orgs.models import Unit
from orgs.reach import Role
from schedules import actions
from schedules.models import Schedule
from tests.schedules.api.calling import caller, ids

pytestmark = pytest.mark.django_db

CANARY = "canary-7f3a"
ACTS = ["register", "toggle", "cancel", "execute"]


@pytest.fixture
def hidden(make_schedule, world):
    """A schedule of xinyi that has run once."""
    schedule = actions.register(make_schedule(title=CANARY), by=world.people["xinyi"])
    actions.execute(schedule, by=world.people["xinyi"])
    return schedule


@pytest.mark.parametrize("code", ["south", "tainan"])
def test_a_neighbour_finds_nothing_and_changes_nothing(hidden, world, code):
    api = caller(world.people[code])
    for path in ("/schedules", "/logs", f"/logs?schedule={hidden.pk}",
                 f"/logs?room={world.room.pk}", f"/schedules?room={world.room.pk}",
                 f"/schedules?unit={world.xinyi.pk}", "/schedules?search=canary"):  # fmt: skip
        assert ids(api.get(path)) == []
    log_id = caller(world.people["hq"]).get("/logs").json()["results"][0]["id"]
    missing = 999_999
    for method, path, body in [
        ("get", "/schedules/{}", None),
        ("put", "/schedules/{}", {"title": "x"}),
        ("patch", "/schedules/{}", {"title": "x"}),
        ("delete", "/schedules/{}", None),
        ("get", "/schedules/{}/logs", None),
        ("get", "/schedules/{}/occurrences", None),
        ("get", "/schedules/{}/occurrences/" + f"{hidden.next_due_at:%Y-%m-%dT%H:%M:%SZ}", None),
        *[("post", "/schedules/{}/" + act, {}) for act in ACTS],
    ]:
        foreign = api(method, path.format(hidden.pk), body)
        absent = api(method, path.format(missing), body)
        assert foreign.status_code == absent.status_code == 404
        assert foreign.content == absent.content
    assert api.get(f"/logs/{log_id}").content == api.get(f"/logs/{missing}").content
    hidden.refresh_from_db()
    assert (hidden.state, hidden.title, hidden.deleted_at) == ("active", CANARY, None)


@pytest.mark.parametrize("code", ["taipei", "north", "hq"])
def test_those_above_see_it_and_may_act(hidden, world, code):
    api = caller(world.people[code])
    assert ids(api.get("/schedules")) == [hidden.pk]
    assert api.post(f"/schedules/{hidden.pk}/toggle").json()["state"] == "paused"


def test_a_branch_does_not_see_what_is_above_it(make_schedule, world):
    made = make_schedule(unit=world.taipei, title=CANARY)
    api = caller(world.people["xinyi"])
    assert ids(api.get("/schedules")) == []
    assert api.get(f"/schedules/{made.pk}").status_code == 404


def test_a_stranger_may_nothing(hidden, world):
    api = caller(world.people["stranger"])
    for response in (api.get("/schedules"), api.get("/logs"), api.post("/schedules", {})):
        assert response.status_code == 403
        assert CANARY not in response.content.decode()


def test_nobody_is_not_told_what_there_is(hidden, client):
    response = client.get(f"/api/v1/schedules/{hidden.pk}")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_a_viewer_reads_and_no_more(hidden, world, body):
    api = caller(world.person(world.xinyi, Role.VIEWER))
    assert ids(api.get("/schedules")) == [hidden.pk]
    assert api.get("/schedules/1").status_code in (200, 404)
    assert api.post("/schedules", body()).status_code == 403
    assert api.patch(f"/schedules/{hidden.pk}", {"title": "x"}).status_code == 403
    assert api("delete", f"/schedules/{hidden.pk}").status_code == 403
    for act in ACTS:
        assert api.post(f"/schedules/{hidden.pk}/{act}").status_code == 403
    assert Schedule.objects.get().state == "active"


def test_a_token_that_may_read_reads_and_no_more(hidden, world, body):
    api = caller(world.people["xinyi"], "read")
    assert ids(api.get("/schedules")) == [hidden.pk]
    assert api.post("/schedules", body()).status_code == 403
    assert api.post(f"/schedules/{hidden.pk}/cancel").status_code == 403
    nothing = caller(world.people["xinyi"], "approve-everything")
    assert nothing.get("/schedules").status_code == 403


def test_foreign_ids_in_a_body_are_as_good_as_none(body, world, make_images):
    api = caller(world.people["tainan"])
    image = make_images(1)[0]
    own = {"rooms": [world.tainan_room.pk]}
    for field, foreign, absent in [
        ("rooms", [world.room.pk], [999_999]),
        ("images", [image.pk], [999_999]),
        ("unit", world.hq.pk, 999_999),
    ]:
        one = api.post("/schedules", body(**own | {field: foreign}))
        other = api.post("/schedules", body(**own | {field: absent}))
        assert one.status_code == other.status_code == 400
        foreign_id = foreign[0] if isinstance(foreign, list) else foreign
        told = one.content.decode().replace(f'pk \\"{foreign_id}\\"', 'pk \\"999999\\"')
        assert told == other.content.decode()
    assert not Schedule.objects.exists()


def test_a_room_of_another_unit_is_refused_even_within_reach(body, world):
    api = caller(world.people["hq"])
    refused = api.post("/schedules", body(unit=world.tainan.pk))
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"rooms"})


def test_rights_end_with_the_unit(hidden, world):
    api = caller(world.people["xinyi"])
    Unit.objects.filter(pk=world.taipei.pk).update(is_active=False)
    assert api.get("/schedules").status_code == 403


def test_a_twin_out_of_reach_is_not_named(body, make_schedule, world):
    """Taipei already sends the same to xinyi's room; xinyi learns that, and not what it is."""
    day = body()
    twin = make_schedule(unit=world.taipei, title=CANARY, text=day["text"], date=day["date"],
                         time="09:00", zone="Asia/Taipei")  # fmt: skip
    actions.register(twin, by=world.people["taipei"])
    refused = caller(world.people["xinyi"]).post("/schedules", day)
    assert refused.status_code == 409
    assert CANARY not in refused.content.decode()


def test_who_has_no_unit_must_name_one(body, world):
    root = world.people["stranger"]
    root.is_superuser = True
    root.save()
    api = caller(root)
    assert api.post("/schedules", body()).json()["errors"] == {"unit": ["This field is required."]}
    assert api.post("/schedules", body(unit=world.xinyi.pk)).status_code == 201
