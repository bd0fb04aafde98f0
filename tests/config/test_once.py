"""Idempotency-Key: a POST that is sent twice is carried out once."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import encode_multipart
from PIL import Image as Pillow

from channels.models import Image, Room
from config.models import KEPT, KeptAnswer
from orgs.models import Member
from orgs.reach import Role
from schedules.models import Run, Schedule
from tests.config.test_api import assert_problem
from tests.schedules.api.calling import ROOT, caller
from tests.schedules.at_once import at_once

pytestmark = pytest.mark.django_db

KEY = {"Idempotency-Key": "order-4711"}


def test_the_same_request_twice_is_carried_out_once_and_answered_alike(api, body):
    first = api.post("/schedules", body(), **KEY)
    again = api.post("/schedules", body(), **KEY)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert (first["ETag"], first.get("Idempotency-Replayed")) == (again["ETag"], None)
    assert again["Idempotency-Replayed"] == "true"
    assert Schedule.objects.count() == 1


def test_an_act_is_repeated_as_it_was_answered_though_the_state_has_moved_on(api, body):
    made = api.post("/schedules", body()).json()
    path = f"/schedules/{made['id']}/execute"
    first = api.post(path, **KEY)
    assert first.status_code == 202
    assert api.post(path).status_code == 409, "without a key it is another request"
    assert api.post(path, **KEY).content == first.content
    assert Run.objects.count() == 1


def test_the_order_of_names_in_a_body_does_not_matter(api, body):
    values = body()
    first = api.post("/schedules", values, **KEY)
    assert api.post("/schedules", dict(reversed(values.items())), **KEY).content == first.content


def test_the_key_with_another_body_or_address_is_refused(api, body):
    api.post("/schedules", body(), **KEY)
    assert_problem(api.post("/schedules", body(title="Other"), **KEY), 422)
    made = Schedule.objects.get()
    assert_problem(api.post("/templates", body(), **KEY), 422)
    assert_problem(api.post(f"/schedules/{made.pk}/cancel", **KEY), 422)
    made.refresh_from_db()
    assert made.state == "active"


def test_what_was_refused_may_be_mended_under_the_same_key(api, body):
    assert_problem(api.post("/schedules", body(text=""), **KEY), 400)
    assert not KeptAnswer.objects.exists()
    assert api.post("/schedules", body(), **KEY).status_code == 201


def test_what_was_refused_halfway_leaves_nothing(api, body, world):
    assert api.post("/schedules", body()).status_code == 201
    assert_problem(api.post("/schedules", body(), **KEY), 409)  # a duplicate, found at the end
    assert Schedule.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
def test_a_key_that_is_none_is_refused(api, body, key):
    assert_problem(api.post("/schedules", body(), **{"Idempotency-Key": key}), 400)
    assert not Schedule.objects.exists()


def test_a_key_is_forgotten_after_a_day_and_not_before(api, body):
    first = api.post("/schedules", body(state="draft"), **KEY)
    row = KeptAnswer.objects.get()
    KeptAnswer.objects.update(at=row.at - KEPT + timedelta(minutes=1))
    assert api.post("/schedules", body(state="draft"), **KEY).content == first.content
    KeptAnswer.objects.update(at=row.at - KEPT)
    assert api.post("/schedules", body(state="draft"), **KEY).json()["id"] != first.json()["id"]
    assert KeptAnswer.objects.count() == 1


def test_answers_that_are_out_of_date_go_when_new_ones_come(api, body):
    for number in range(3):
        api.post("/schedules", body(state="draft"), **{"Idempotency-Key": str(number)})
    KeptAnswer.objects.update(at=KeptAnswer.objects.first().at - KEPT)
    api.post("/schedules", body(state="draft"), **{"Idempotency-Key": "next"})
    assert [row.key for row in KeptAnswer.objects.all()] == ["next"]


def test_each_token_has_keys_of_its_own(world, body):
    person = world.people["xinyi"]
    one, other = caller(person), caller(person)
    neighbour = caller(world.people["tainan"])
    made = one.post("/schedules", body(state="draft"), **KEY).json()["id"]
    assert other.post("/schedules", body(state="draft"), **KEY).json()["id"] != made
    assert_problem(neighbour.post("/schedules", body(state="draft"), **KEY), 400)  # foreign rooms


def test_who_moves_to_another_unit_does_not_take_answers_along(world, body):
    person = world.person(world.xinyi, Role.OPERATOR)
    mine = caller(person)
    assert mine.post("/schedules", body(), **KEY).status_code == 201
    Member.objects.filter(user=person).update(unit=world.tainan)
    assert_problem(mine.post("/schedules", body(), **KEY), 400)


def test_who_may_no_longer_act_gets_no_answer_either(world, body):
    person = world.person(world.xinyi, Role.OPERATOR)
    mine = caller(person)
    assert mine.post("/schedules", body(), **KEY).status_code == 201
    Member.objects.filter(user=person).update(role=Role.VIEWER)
    assert_problem(mine.post("/schedules", body(), **KEY), 403)


def test_nothing_of_a_body_is_kept(api, body):
    api.post("/schedules", body(description="s3cret"), **KEY)
    row = KeptAnswer.objects.get()
    assert "s3cret" not in row.digest + row.key + row.holder + str(row.headers)
    assert len(row.digest) == 64


def test_a_form_s_boundary_does_not_matter_but_its_file_does(world, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    client = Client(headers=KEY)
    client.force_login(world.people["xinyi"])

    def upload(colour: str):
        buffer = BytesIO()
        Pillow.new("RGB", (4, 4), colour).save(buffer, "PNG")
        file = SimpleUploadedFile("poster.png", buffer.getvalue(), "image/png")
        boundary = f"b{KeptAnswer.objects.count()}{colour}"
        return client.post(
            ROOT + "/images", encode_multipart(boundary, {"file": file}),
            content_type=f"multipart/form-data; boundary={boundary}",
        )  # fmt: skip

    first, again = upload("red"), upload("red")
    assert (first.status_code, first.content) == (201, again.content)
    assert_problem(upload("blue"), 422)
    assert Image.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_that_arrive_at_once_one_is_carried_out_and_both_are_answered(world, api):
    manager = caller(world.people["xinyi"])
    values = {
        "unit": world.xinyi.pk, "account": world.sandbox.pk, "name": "New", "address": "new",
        "kind": "live",
    }  # fmt: skip
    answers = at_once(*[lambda: manager.post("/rooms", values, **KEY)] * 4)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.get("Idempotency-Replayed", "") for answer in answers) == [
        "", "true", "true", "true",
    ]  # fmt: skip
    assert Room.objects.filter(address="new").count() == 1
