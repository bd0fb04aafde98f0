"""Recipients and audiences in the API."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels.models import Audience, Membership, Recipient, Tag
from logs.models import History
from orgs.reach import Role
from tests.channels.people.conftest import line_id
from tests.schedules.api.calling import Caller, caller, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(world: Any) -> Caller:
    return caller(world.people["taipei"])


@pytest.fixture
def item(account: Any) -> Any:
    """What a batch says of one person."""

    def make(number: int, **values: Any) -> dict[str, Any]:
        return {"account": account.pk, "address": line_id(number)} | values

    return make


def errors(answer: Any) -> set[str]:
    assert answer.status_code == 400, answer.content
    return set(answer.json()["errors"])


# One by one


def test_somebody_is_added_and_changed_and_the_history_keeps_no_value(api, world, account):
    body = {"account": account.pk, "address": line_id(1), "name": "Ann", "region": " Da  an ",
            "language": "ko", "tags": ["vip", "new, vip"]}  # fmt: skip
    shown = api.post("/recipients", body).json()
    assert (shown["unit"], shown["region"], shown["tags"]) == (
        world.taipei.pk,
        "Da an",
        ["new", "vip"],
    )
    path = f"/recipients/{shown['id']}"
    assert api.patch(path, {"name": "Ben", "tags": []}).json()["tags"] == []
    assert api.get(path).json()["name"] == "Ben"
    told = History.objects.filter(kind="recipient").order_by("id")
    assert [entry.verb for entry in told] == ["created", "updated"]
    assert set(told[1].changes["fields"]) == {"Name", "Tags"}
    assert "Ann" not in str([entry.changes for entry in told])


def test_what_was_read_can_be_put_back(api, add_person):
    person = add_person("vip", name="Ann")
    shown = api.get(f"/recipients/{person.pk}").json()
    assert api.patch(f"/recipients/{person.pk}", shown).json() == shown
    assert not History.objects.filter(kind="recipient").exists()


def test_the_first_opt_out_counts_and_can_be_taken_back(api, add_person):
    path = f"/recipients/{add_person().pk}"
    first = api.post(f"{path}/opt-out").json()
    assert first["has_opted_out"] is True
    assert api.patch(path, {"has_opted_out": True}).json() == first
    assert api.patch(path, {"name": "Ann"}).json()["opted_out_at"] == first["opted_out_at"]
    assert api.patch(path, {"has_opted_out": False}).json()["opted_out_at"] is None


def test_account_and_address_stay(api, world, add_person):
    path = f"/recipients/{add_person().pk}"
    assert errors(api.patch(path, {"address": line_id(77)})) == {"address"}
    assert errors(api.patch(path, {"account": world.sandbox.pk})) == {"account"}


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ({"address": "nobody"}, {"address"}),
        ({"tags": ["x" * 51]}, {"tags"}),
        ({"tags": "vip"}, {"tags"}),
        ({"language": "tlh"}, {"language"}),
        ({"has_opted_out": "yes"}, {"has_opted_out"}),
        ({"nmae": "Ann"}, {"nmae"}),
    ],
)
def test_what_is_not_right_is_named(api, item, values, places):
    assert errors(api.post("/recipients", item(1) | values)) == places
    assert not Recipient.objects.exists()


def test_an_address_of_others_answers_as_one_that_cannot_be_added(api, world, item, add_person):
    add_person(unit=world.tainan, address=line_id(1), name="Hidden")
    answer = api.post("/recipients", item(1))
    assert answer.status_code in (400, 409)
    assert "Hidden" not in answer.content.decode()


def test_a_person_is_forgotten(api, add_person):
    person = add_person("vip", name="Ann")
    assert api("delete", f"/recipients/{person.pk}").status_code == 204
    assert not Recipient.objects.exists()
    assert History.objects.get(kind="recipient").verb == "deleted"


def test_a_list_is_narrowed(api, world, add_person, make_audience):
    ann = add_person("vip", "new", name="Ann", region="Seoul", language="ko")
    ben = add_person("vip", name="Ben", region="Busan")
    add_person(unit=world.tainan, name="Hidden", region="Seoul")
    some = make_audience(people=[ben])
    api.post(f"/recipients/{ben.pk}/opt-out")
    for query, wanted in {
        "": [ben, ann], "tag=vip": [ben, ann], "tag=new": [ann], "region=Seoul": [ann],
        "language=ko": [ann], "search=be": [ben], f"address={ann.address}": [ann],
        f"audience={some.pk}": [ben], "audience=999999": [], "has_opted_out=true": [ben],
        "has_opted_out=false": [ann], f"unit={world.tainan.pk}": [],
    }.items():  # fmt: skip
        assert ids(api.get(f"/recipients?{query}")) == [p.pk for p in wanted], query
    assert api.get("/recipients?has_opted_out=maybe").status_code == 400


# Many at once


def test_who_is_there_is_changed_and_who_is_not_is_added(api, world, item, add_person):
    ann = add_person("old", "kept", name="Ann", region="Seoul", address=line_id(1))
    items = [
        item(1, region="Busan", tags=["kept", "new"]),
        item(2, name="Ben", tags=["new"], unit=world.xinyi.pk),
        item(3),
    ]
    answer = api.post("/recipients/batch", {"items": items}).json()
    assert [one["status"] for one in answer["results"]] == [200, 201, 201]
    assert (answer["done"], answer["refused"]) == (3, 0)
    ann.refresh_from_db()
    assert (ann.name, ann.region, ann.unit) == ("Ann", "Busan", world.xinyi)
    assert {tag.name for tag in ann.tags.all()} == {"kept", "new"}
    ben, cho = (Recipient.objects.get(address=line_id(n)) for n in (2, 3))
    assert (ben.name, ben.unit, cho.unit) == ("Ben", world.xinyi, world.taipei)
    assert answer["results"][1]["id"] == ben.pk
    told = History.objects.filter(kind="recipient", verb="imported")
    assert {entry.unit_path: entry.changes for entry in told} == {
        world.xinyi.path: {"rows": 2, "created": 1, "updated": 1},
        world.taipei.path: {"rows": 1, "created": 1, "updated": 0},
    }


def test_sent_twice_it_changes_nothing_more(api, item):
    body = {"items": [item(n, name=f"P{n}", tags=["vip"]) for n in range(3)]}
    api.post("/recipients/batch", body)
    before = list(Recipient.objects.order_by("id").values())
    again = api.post("/recipients/batch", body).json()
    assert [one["status"] for one in again["results"]] == [200] * 3
    assert list(Recipient.objects.order_by("id").values()) == before
    assert Tag.objects.count() == 1


def test_who_has_opted_out_stays_so_unless_it_is_said(api, item, add_person):
    person = add_person(address=line_id(1))
    api.post(f"/recipients/{person.pk}/opt-out")
    person.refresh_from_db()
    first = person.opted_out_at
    for said, wanted in (
        ({}, first),
        ({"has_opted_out": True}, first),
        ({"has_opted_out": False}, None),
    ):
        api.post("/recipients/batch", {"items": [item(1, **said)]})
        person.refresh_from_db()
        assert person.opted_out_at == wanted, said


def test_who_opted_out_at_the_channel_is_opted_in_by_no_list(api, item, add_person):
    person, at = add_person(address=line_id(1)), timezone.now()
    Recipient.objects.filter(pk=person.pk).update(opted_out_at=at, opted_out_by_channel=True)
    said = {"items": [item(1, name="Ann", has_opted_out=False)]}
    answer = api.post("/recipients/batch", said).json()
    person.refresh_from_db()
    assert (answer["done"], person.name) == (1, "Ann")
    assert (person.opted_out_at, person.opted_out_by_channel) == (at, True)


@pytest.fixture
def mixed(world, item, add_person):
    """One that is right, and the others each wrong in another way; with the field."""
    hidden = add_person(unit=world.tainan, address=line_id(9), name="Hidden")
    account = type(world.sandbox)
    no_people = account.objects.create(unit=world.hq, name="Phone", kind="iris", is_shared=True)
    return hidden, [
        (item(1, name="Right"), None),
        (item(9, name="Stolen"), "address"),
        (item(1), "address"),
        (item(2) | {"address": "nobody"}, "address"),
        (item(3) | {"account": 999_999}, "account"),
        (item(4) | {"account": no_people.pk}, "address"),
        (item(5, unit=world.tainan.pk), "unit"),
        (item(6, unit=999_999), "unit"),
        (item(7, language="tlh"), "language"),
        (item(8, nmae="x"), "nmae"),
        ("Ann", "__all__"),
        (None, "__all__"),
        ({"account": "1"}, "account"),
    ]


def test_each_stands_for_itself(api, mixed):
    hidden, pairs = mixed
    answer = api.post("/recipients/batch", {"items": [body for body, _field in pairs]})
    results = answer.json()["results"]
    assert [one["index"] for one in results] == list(range(len(pairs)))
    assert results[0]["status"] == 201
    for one, (body, field) in list(zip(results, pairs, strict=True))[1:]:
        assert (one["status"], one["id"]) == (400, None), body
        assert field in one["problem"]["errors"], body
    hidden.refresh_from_db()
    assert hidden.name == "Hidden"
    assert Recipient.objects.count() == 2


def test_all_or_nothing_does_nothing_if_one_is_refused(api, mixed):
    _hidden, pairs = mixed
    body = {"items": [body for body, _field in pairs]}
    answer = api.post("/recipients/batch?all_or_nothing=true", body)
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    statuses = [one["status"] for one in answer.json()["results"]]
    assert statuses == [424] + [400] * (len(pairs) - 1)
    assert Recipient.objects.count() == 1
    assert not History.objects.filter(verb="imported").exists()
    fine = api.post("/recipients/batch?all_or_nothing=true", {"items": body["items"][:1]}).json()
    assert fine["done"] == 1


def test_a_foreign_person_account_and_unit_answer_as_missing_ones(api, world, item, add_person):
    """But for an address, which a unique constraint must keep: it says only that it cannot be."""

    def problem(body: Any) -> Any:
        return api.post("/recipients/batch", {"items": [body]}).json()["results"][0]["problem"]

    own = type(world.sandbox).objects.create(unit=world.south, name="South's", kind="line")
    assert problem(item(1) | {"account": own.pk}) == problem(item(1) | {"account": 999_999})
    assert problem(item(1, unit=world.tainan.pk)) == problem(item(1, unit=999_999))


def test_the_same_number_of_questions_for_one_and_for_a_thousand(api, item):
    def count(numbers: range) -> int:
        body = {"items": [item(n, name=f"P{n}", tags=["vip"], region="Seoul") for n in numbers]}
        with CaptureQueriesContext(connection) as asked:
            assert api.post("/recipients/batch", body).json()["refused"] == 0
        return sum(not is_split(query["sql"]) for query in asked)

    def is_split(sql: str) -> bool:
        """SQLite takes so many values in one statement: there it inserts people by the hundred."""
        return connection.vendor == "sqlite" and sql.startswith('INSERT INTO "channels_recipient"')

    api.get("/recipients")  # the token's last use is noted once
    count(range(1))  # and the tag is made
    one, thousand = range(10, 11), range(100, 1_100)
    assert count(one) == count(thousand), "added"
    assert count(one) == count(thousand), "changed"


def test_a_batch_has_one_to_a_thousand(api, item):
    assert errors(api.post("/recipients/batch", {"items": []})) == {"items"}
    many = {"items": [item(n) for n in range(1_001)]}
    assert errors(api.post("/recipients/batch", many)) == {"items"}
    assert (
        api.post("/recipients/batch?all_or_nothing=maybe", {"items": [item(1)]}).status_code == 400
    )


# Audiences


def test_a_rule_is_kept_and_counted(api, world, account, add_person):
    add_person("vip", language="ko")
    add_person("vip")
    body = {"account": account.pk, "name": "VIPs", "kind": "rule", "tags": ["vip"],
            "languages": ["ko"], "regions": []}  # fmt: skip
    shown = api.post("/audiences", body).json()
    path = f"/audiences/{shown['id']}"
    assert (shown["unit"], shown["tags"], shown["languages"]) == (world.taipei.pk, ["vip"], ["ko"])
    assert api.get(f"{path}/count").json() == {"count": 1}
    api.patch(path, {"languages": []})
    assert api.get(f"{path}/count").json() == {"count": 2}
    assert History.objects.get(kind="audience", verb="updated").changes == {
        "languages": [["ko"], []]
    }
    shown = api.get(path).json()
    assert api.patch(path, shown).json() == shown


def test_people_come_on_a_list_and_off_it(api, account, add_person):
    ann, ben = add_person(), add_person()
    body = {"account": account.pk, "name": "Some", "put_on": [ann.address, ann.address]}
    path = f"/audiences/{api.post('/audiences', body).json()['id']}"
    assert ids(api.get(f"/recipients?audience={path.rpartition('/')[2]}")) == [ann.pk]
    api.patch(path, {"put_on": [ben.address], "take_off": [ann.address]})
    assert [m.recipient_id for m in Membership.objects.all()] == [ben.pk]
    assert History.objects.get(kind="audience", verb="updated").changes == {
        "put_on": 1,
        "take_off": 1,
    }


def test_a_list_refuses_strangers_and_a_rule_everybody(api, world, account, add_person):
    hidden = add_person(unit=world.tainan)
    body = {"account": account.pk, "name": "Some"}
    foreign = api.post("/audiences", body | {"put_on": [hidden.address]})
    assert errors(foreign) == {"put_on"}
    missing = api.post("/audiences", body | {"put_on": [line_id(999)]})
    assert (
        foreign.json()["errors"]["put_on"][0].replace(hidden.address, line_id(999))
        == (missing.json()["errors"]["put_on"][0])
    )
    person = add_person()
    rule = body | {"kind": "rule", "put_on": [person.address]}
    assert errors(api.post("/audiences", rule)) == {"put_on"}
    assert not Audience.objects.exists()


def test_a_channel_without_audiences_has_none(api, world):
    body = {"account": world.sandbox.pk, "name": "Some"}
    sandbox = world.sandbox.adapter_class.limits.members_per_request
    webhook = type(world.sandbox).objects.create(unit=world.taipei, name="W", kind="webhook")
    assert errors(api.post("/audiences", body | {"account": webhook.pk})) == {"account"}
    assert api.post("/audiences", body).status_code == (201 if sandbox else 400)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_others_only_look(world, item, add_person, make_audience, role):
    api = caller(world.person(world.taipei, role))
    person, audience = add_person(), make_audience()
    assert ids(api.get("/recipients")) == [person.pk]
    assert ids(api.get("/audiences")) == [audience.pk]
    for method, path, body in (
        ("post", "/recipients", item(1)),
        ("post", "/recipients/batch", {"items": [item(1)]}),
        ("patch", f"/recipients/{person.pk}", {"name": "x"}),
        ("post", f"/recipients/{person.pk}/opt-out", {}),
        ("delete", f"/recipients/{person.pk}", None),
        ("post", "/audiences", {}),
        ("patch", f"/audiences/{audience.pk}", {}),
    ):
        assert api(method, path, body).status_code == 403, (method, path)
