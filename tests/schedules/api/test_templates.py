"""Templates in the API."""

import pytest

from orgs.reach import Role
from schedules.models import MessageTemplate, Schedule
from tests.schedules.api.calling import caller, ids

pytestmark = pytest.mark.django_db

BODY = {
    "name": "Notice",
    "blocks": [{"text": "Dear {unit},", "is_locked": True}, {"text": "call {phone}"}],
    "defaults": {"phone": "119"},
}


WEEKLY = {"timing_kind": "weekly", "weekdays": [0, 4], "time": "09:00", "priority": 90}


@pytest.fixture
def template(world):
    """One of headquarters."""
    made = caller(world.people["hq"]).post("/templates", BODY)
    assert made.status_code == 201
    return MessageTemplate.objects.get()


def test_a_template_is_kept_read_changed_and_removed(api, world):
    made = api.post("/templates", BODY)
    assert made.status_code == 201
    found = made.json()
    assert found["unit"] == world.xinyi.pk
    assert found["blocks"] == [
        {"text": "Dear {unit},", "is_locked": True},
        {"text": "call {phone}", "is_locked": False},
    ]
    assert found["placeholders"] == ["unit", "phone"]
    path = f"/templates/{found['id']}"
    assert api.get(path).json() == found
    changed = api.patch(path, {"defaults": {"전화": "1"}, "is_shared": False}).json()
    assert (changed["defaults"], changed["is_shared"]) == ({"전화": "1"}, False)
    assert changed["blocks"] == found["blocks"]
    read = {name: found[name] for name in ("name", "blocks")}
    replaced = api("put", path, read).json()
    assert (replaced["defaults"], replaced["is_shared"]) == ({}, True)
    assert api("delete", path).status_code == 204
    assert api.get(path).status_code == 404


def test_what_was_read_can_be_put_back(api):
    found = api.post("/templates", BODY).json()
    again = api("put", f"/templates/{found['id']}", found)
    assert (again.status_code, again.json()) == (200, found)


def test_a_shared_template_of_above_is_read_and_used_but_not_changed(api, world, template):
    path = f"/templates/{template.pk}"
    assert ids(api.get("/templates")) == [template.pk]
    assert api.get(path).json()["is_system"] is True
    for answer in (api.patch(path, {"name": "x"}), api("put", path, BODY), api("delete", path)):
        assert answer.status_code == 403
    made = api.post(f"{path}/apply")
    assert made.status_code == 201
    assert made.json()["state"] == "draft"
    assert made.json()["text"] == "Dear {unit},\ncall {phone}"
    assert made.json()["unit"] == world.xinyi.pk


def test_applied_twice_with_one_uid_it_is_one_draft(api, template):
    body = {"uid": "4b1fb8a6-0000-4000-8000-000000000001"}
    one, other = (api.post(f"/templates/{template.pk}/apply", body).json() for _ in "12")
    assert one["id"] == other["id"]
    assert Schedule.objects.count() == 1


def test_a_template_says_when_and_how_its_schedules_go(api, world):
    made = api.post("/templates", BODY | WEEKLY)
    assert made.status_code == 201
    found, path = made.json(), f"/templates/{made.json()['id']}"
    assert {name: found[name] for name in WEEKLY} == WEEKLY | {"time": "09:00:00"}
    assert (found["priority"], found["on_quiet"]) == (90, "")
    words = "Every Monday and Friday at 09:00 (Asia/Taipei), priority 90"
    assert found["fills_in"] == words
    assert api("put", path, found).json() == found
    changed = api.patch(path, {"timing_kind": "daily", "priority": None}).json()
    assert (changed["weekdays"], changed["fills_in"]) == ([], "Every day at 09:00 (Asia/Taipei)")
    assert api("put", path, BODY).json()["fills_in"] == ""


def test_a_draft_starts_with_that_unless_the_caller_says_otherwise(api, world):
    pk = api.post("/templates", BODY | WEEKLY | {"zone": "Asia/Seoul"}).json()["id"]
    draft = api.post(f"/templates/{pk}/apply").json()
    assert draft["timing_in_words"] == "Every Monday and Friday at 09:00 (Asia/Seoul)"
    assert (draft["priority"], draft["max_retries"]) == (90, 4)
    assert draft["notes"] == [
        "The template’s times are those of Asia/Seoul; the clock of “Xinyi” is that of Asia/Taipei."
    ]
    said = {"weekdays": [2], "priority": 10, "zone": "Asia/Taipei"}
    other = api.post(f"/templates/{pk}/apply", said).json()
    assert other["timing_in_words"] == "Every Wednesday at 09:00 (Asia/Taipei)"
    assert (other["priority"], other["notes"]) == (10, [])
    for wrong in ({"priority": 101}, {"time": "9"}, {"rooms": []}):
        refused = api.post(f"/templates/{pk}/apply", wrong)
        assert (refused.status_code, set(refused.json()["errors"])) == (400, set(wrong))


def test_a_day_that_has_passed_is_left_out_of_the_draft_and_told(api):
    once = {"timing_kind": "once", "date": "2020-01-02", "time": "09:00"}
    pk = api.post("/templates", BODY | once).json()["id"]
    draft = api.post(f"/templates/{pk}/apply").json()
    assert (draft["timing_kind"], draft["date"], draft["time"]) == ("once", None, "09:00:00")
    assert draft["notes"] == ["The template’s date, 2020-01-02, has passed: choose another."]


def test_a_draft_that_was_made_from_a_template_is_registered(api, world, template):
    draft = api.post(f"/templates/{template.pk}/apply").json()
    path = f"/schedules/{draft['id']}"
    values = {"rooms": [world.room.pk], "timing_kind": "daily", "time": "09:00"}
    assert api.patch(path, values).status_code == 200
    assert api.post(f"{path}/register").json()["state"] == "active"
    refused = api.patch(path, {"text": "call {phone}"})
    assert set(refused.json()["errors"]) == {"text"}
    # To replace it does not free it of its template either.
    whole = {**values, "title": "x", "text": "mine"}
    assert api("put", path, whole).status_code == 400


def test_another_units_templates_are_not_there(world, api):
    theirs = caller(world.people["tainan"])
    pk = theirs.post("/templates", BODY).json()["id"]
    assert ids(api.get("/templates")) == []
    for method, path in [
        ("get", "/templates/{}"), ("patch", "/templates/{}"), ("put", "/templates/{}"),
        ("delete", "/templates/{}"), ("post", "/templates/{}/apply"),
    ]:  # fmt: skip
        foreign, absent = (api(method, path.format(n), {}) for n in (pk, 999_999))
        assert foreign.status_code == absent.status_code == 404
        assert foreign.content == absent.content
    refused = api.post("/templates", BODY | {"unit": world.tainan.pk})
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"blocks": []}, "blocks"),
        ({"blocks": [{"text": ""}]}, "blocks"),
        ({"blocks": [{"text": "x", "other": 1}]}, "blocks"),
        ({"blocks": "text"}, "blocks"),
        ({"defaults": {"room": "x"}}, "defaults"),
        ({"defaults": {"a b": "x"}}, "defaults"),
        ({"defaults": {"a": 1}}, "defaults"),
        ({"name": ""}, "name"),
        ({"order": "backwards"}, "order"),
        ({"interval_seconds": 3601}, "interval_seconds"),
        ({"images": [999_999]}, "images"),
        ({"text": "x"}, "text"),
        ({"timing_kind": "daily"}, "time"),
        ({"timing_kind": "sometimes"}, "timing_kind"),
        ({"time": "09:00"}, "timing_kind"),
        ({"priority": 101}, "priority"),
        ({"max_retries": 11}, "max_retries"),
        ({"weekdays": [7]}, "weekdays"),
        ({"timing_kind": "daily", "time": "09:00", "zone": "Asia/Nowhere"}, "zone"),
    ],
)
def test_what_is_not_right_is_said_by_field(api, values, field):
    refused = api.post("/templates", BODY | values)
    assert refused.status_code == 400
    assert {name.split(".")[0] for name in refused.json()["errors"]} == {field}


def test_two_of_one_name_are_refused(api):
    api.post("/templates", BODY)
    refused = api.post("/templates", BODY)
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"name"})


def test_a_viewer_and_a_token_that_reads_only_read(world, template):
    for one in (caller(world.person(world.xinyi, Role.VIEWER)),
                caller(world.people["xinyi"], "read")):  # fmt: skip
        assert ids(one.get("/templates")) == [template.pk]
        assert one.post("/templates", BODY).status_code == 403
        assert one.post(f"/templates/{template.pk}/apply").status_code == 403


def test_a_list_takes_as_many_queries_for_many(api, django_assert_max_num_queries):
    def queries():
        with django_assert_max_num_queries(100) as counted:
            api.get("/templates")
        return len(counted)

    api.post("/templates", BODY)
    one = queries()
    for number in range(3):
        api.post("/templates", BODY | {"name": f"More {number}"})
    assert queries() == one
