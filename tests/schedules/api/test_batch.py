"""Many schedules in one request: each for itself, or all or nothing."""

import pytest

from logs.models import History
from orgs.reach import Role
from schedules.models import Schedule
from tests.schedules.api.calling import caller
from tests.schedules.at_once import before_statement, on_postgresql, outcome_of

pytestmark = pytest.mark.django_db

PATH = "/schedules/batch"


def results(response):
    return response.json()["results"]


@pytest.fixture
def made(api, body):
    """Three that are registered."""
    items = [body(text=f"Text {number}") for number in range(3)]
    return [row["id"] for row in results(api.post(PATH, {"items": items}))]


def test_each_is_registered_for_itself_and_answered_in_its_place(api, body):
    items = [body(), body(rooms=[]), body(text="Another"), 5, None, body(state="draft", text="x")]
    answer = api.post(PATH, {"items": items})
    assert answer.status_code == 200
    assert (answer.json()["done"], answer.json()["refused"]) == (3, 3)
    assert [(row["index"], row["status"]) for row in results(answer)] == [
        (0, 201), (1, 400), (2, 201), (3, 400), (4, 400), (5, 201),
    ]  # fmt: skip
    assert results(answer)[0]["schedule"]["state"] == "active"
    assert results(answer)[5]["schedule"]["state"] == "draft"
    assert set(results(answer)[1]["problem"]["errors"]) == {"rooms"}
    assert results(answer)[1]["schedule"] is None
    assert Schedule.objects.count() == 3


def test_twins_within_one_batch_are_found(api, body):
    answer = api.post(PATH, {"items": [body(), body()]})
    assert [row["status"] for row in results(answer)] == [201, 409]


def test_all_or_nothing_leaves_nothing_when_one_is_refused(api, body):
    items = [body(), body(priority=101), body(text="Another")]
    answer = api.post(PATH + "?all_or_nothing=true", {"items": items})
    assert answer.status_code == answer.json()["status"] == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert [row["status"] for row in results(answer)] == [424, 400, 424]
    assert [row["id"] for row in results(answer)] == [None] * 3
    assert not Schedule.objects.exists()
    assert not History.objects.filter(verb="created", kind="schedule").exists()


def test_all_or_nothing_does_all_where_none_is_refused(api, body):
    answer = api.post(PATH + "?all_or_nothing=true", {"items": [body(), body(text="Another")]})
    assert (answer.status_code, answer.json()["done"]) == (200, 2)


def test_a_key_makes_a_batch_once(api, body):
    items = [body(), body(text="Another")]
    first, again = (api.post(PATH, {"items": items}, **{"Idempotency-Key": "k"}) for _ in "12")
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Schedule.objects.count() == 2


def test_a_batch_that_was_refused_as_one_may_be_mended_under_its_key(api, body):
    key = {"Idempotency-Key": "k"}
    path = PATH + "?all_or_nothing=true"
    assert api.post(path, {"items": [body(), body(rooms=[])]}, **key).status_code == 409
    assert api.post(path, {"items": [body()]}, **key).status_code == 200


def test_changes_name_their_schedule_and_their_revision(api, made):
    one, two, three = made
    items = [
        {"id": one, "priority": 90, "revision": 0}, {"id": two, "title": "New", "revision": 7},
        {"id": three, "colour": "red"}, {"id": 999_999, "title": "x"}, {"title": "x"},
        {"id": "1"}, {"id": True}, "x",
    ]  # fmt: skip
    answer = api.patch(PATH, {"items": items})
    assert [row["status"] for row in results(answer)] == [200, 409, 400, 404, 400, 400, 400, 400]
    assert results(answer)[0]["schedule"]["priority"] == 90
    assert set(results(answer)[4]["problem"]["errors"]) == {"id"}
    assert Schedule.objects.get(pk=two).title == "Sale"


def test_changes_are_all_made_or_none(api, made):
    items = [{"id": made[0], "title": "New"}, {"id": made[1], "rooms": []}]
    assert api.patch(PATH + "?all_or_nothing=true", {"items": items}).status_code == 409
    assert set(Schedule.objects.values_list("title", flat=True)) == {"Sale"}
    assert Schedule.objects.count() == 3  # no working copy is left


def test_many_are_cancelled(api, made):
    asked = ",".join(map(str, [*made[:2], 999_999]))
    answer = api("delete", f"{PATH}?ids={asked}")
    assert [row["status"] for row in results(answer)] == [200, 200, 404]
    assert [row["schedule"]["state"] for row in results(answer)[:2]] == ["cancelled"] * 2
    assert Schedule.objects.filter(state="active").get().pk == made[2]
    again = api("delete", f"{PATH}?ids={made[0]}")
    assert results(again)[0]["problem"]["status"] == 409


@pytest.mark.parametrize("ids", ["", "x", "1,,2", "1,-2", "9" * 19, ",".join(["1"] * 101)])
def test_wrong_ids_are_named(api, ids):
    answer = api("delete", f"{PATH}?ids={ids}")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"ids"})


@pytest.mark.parametrize(
    "body", [{}, {"items": []}, {"items": {}}, {"items": [{}] * 101}, {"items": [], "x": 1}, []]
)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_batch_that_is_none_is_refused_as_a_whole(api, method, body):
    assert api(method, PATH, body).status_code == 400


def test_a_wrong_mode_is_named(api, body):
    answer = api.post(PATH + "?all_or_nothing=maybe", {"items": [body()]})
    assert set(answer.json()["errors"]) == {"all_or_nothing"}
    assert not Schedule.objects.exists()


def test_foreign_schedules_in_a_batch_are_as_good_as_none(made, world):
    api = caller(world.people["tainan"])
    for foreign, absent in zip(made, range(999_990, 999_993), strict=True):
        one = api.patch(PATH, {"items": [{"id": foreign, "title": "stolen"}]}).json()
        other = api.patch(PATH, {"items": [{"id": absent, "title": "stolen"}]}).json()
        assert one == other
        ended = (api("delete", f"{PATH}?ids={pk}").json() for pk in (foreign, absent))
        assert next(ended) == next(ended)
    assert set(Schedule.objects.values_list("title", "state")) == {("Sale", "active")}


LOCKS = "pg_advisory_xact_lock"


@pytest.fixture
def colleague(world):
    """Another operator of xinyi's rooms: of taipei, so that no row of a person is shared."""
    return caller(world.person(world.taipei, Role.OPERATOR))


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["as one", "as one, now", "by a key"])
def test_two_that_register_for_the_same_rooms_in_another_order_both_succeed(
    world, api, colleague, body, how
):
    when = {"timing_kind": "now", "date": None, "time": None} if how == "as one, now" else {}
    places = [world.room.pk, world.test_room.pk]
    mine = [body(rooms=[pk], text=f"Mine {pk}", **when) for pk in places]
    theirs = [body(rooms=[pk], text=f"Theirs {pk}", **when) for pk in reversed(places)]
    path, headers = (PATH, {"Idempotency-Key": "k"}) if how == "by a key" else (
        f"{PATH}?all_or_nothing=true", {})  # fmt: skip

    def other():
        return colleague.post(path, {"items": theirs}, **headers)

    with before_statement(1, other, among=LOCKS) as begun:
        assert api.post(path, {"items": mine}, **headers).status_code == 200
    assert begun, "the other one came between"
    answer = outcome_of(begun[0])
    assert [row["status"] for row in results(answer)] == [201, 201]


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["change", "cancel"])
def test_two_that_change_the_same_in_another_order_both_come_to_an_end(api, colleague, made, act):
    def ask(who, ids):
        if act == "cancel":
            named = ",".join(map(str, ids))
            return who("delete", f"{PATH}?all_or_nothing=true&ids={named}")
        items = [{"id": pk, "title": f"Of {who.key[-4:]}"} for pk in ids]
        return who.patch(f"{PATH}?all_or_nothing=true", {"items": items})

    with before_statement(1, lambda: ask(colleague, made[1::-1]), among="FOR UPDATE") as begun:
        assert ask(api, made[:2]).status_code == 200
    assert begun, "the other one came between"
    assert outcome_of(begun[0]).status_code in (200, 409)


@pytest.mark.parametrize("rooms", [None, 5, "x", ["x", None, {}, True, 10**30, -1], {}])
@pytest.mark.parametrize("audience", ["x", [], 10**30])
def test_what_is_no_id_is_refused_in_a_batch_as_one_as_well(api, body, rooms, audience):
    items = [body(rooms=rooms, audience=audience), 5]
    answer = api.post(f"{PATH}?all_or_nothing=true", {"items": items})
    assert [row["status"] for row in results(answer)] == [400, 400]
    answer = api.patch(f"{PATH}?all_or_nothing=true", {"items": [{"id": rooms}, None]})
    assert [row["status"] for row in results(answer)] == [404 if rooms == 5 else 400, 400]
