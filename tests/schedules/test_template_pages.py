"""The pages of templates and values, and the registration form that starts from one."""

import re
from uuid import uuid4

import pytest

from orgs.reach import Role
from schedules import actions
from schedules.actions.template import save_template
from schedules.models import MessageTemplate, PlaceholderValue, Schedule
from tests.conftest import store_image
from tests.schedules.conftest import plan_at
from tests.schedules.wizard.conftest import CONTENT, address, open_step

pytestmark = pytest.mark.django_db

LIST = "/admin/schedules/messagetemplate/"
VALUES = "/admin/schedules/placeholdervalue/"
BLOCKS = [
    {"text": "Dear guests of {unit},", "is_locked": True},
    {"text": "call {phone}", "is_locked": False},
]


@pytest.fixture
def template(world):
    """One of headquarters."""
    values = {"unit": world.hq, "name": "Notice", "blocks": BLOCKS, "defaults": {"phone": "119"}}
    return save_template(MessageTemplate(), values, by=world.people["hq"])


@pytest.fixture
def desk(client, clerk, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    client.force_login(clerk)
    return client


def form(unit, **values):
    """A template's page as it is posted, with one passage."""
    parts = {
        f"{prefix}-{name}": number
        for prefix in ("blocks", "template_images", "defaults")
        for name, number in {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0}.items()
    }
    block = {"blocks-TOTAL_FORMS": 1, "blocks-0-position": 0, "blocks-0-text": "Hello {room}"}
    return parts | block | {
        "unit": unit.pk, "name": "Mine", "order": "text_first", "interval_seconds": 0,
        "is_active": "on",
    } | values  # fmt: skip


def body(response):
    return response.content.decode()


def start(desk, template, **values):
    return desk.post(f"{LIST}{template.pk}/use/", {"uid": uuid4()} | values)


def test_a_template_is_added_with_its_passages(desk, world):
    assert desk.post(f"{LIST}add/", form(world.xinyi)).status_code == 302
    made = MessageTemplate.objects.get()
    assert (made.unit, made.text, made.is_shared) == (world.xinyi, "Hello {room}", False)


def test_passages_keep_their_order_and_their_lock(desk, world):
    values = {"blocks-TOTAL_FORMS": 2, "blocks-0-position": 5, "blocks-1-position": 2,
              "blocks-1-text": "first\r\nlines", "blocks-1-is_locked": "on"}  # fmt: skip
    desk.post(f"{LIST}add/", form(world.xinyi, **values))
    made = MessageTemplate.objects.get()
    assert made.text == "first\nlines\nHello {room}"
    assert made.terms["locked"] == ["first\nlines"]


def test_a_passage_that_is_added_stands_at_the_end(desk, world, clerk):
    values = {"unit": world.xinyi, "name": "Mine", "blocks": BLOCKS}
    mine = save_template(MessageTemplate(), values, by=clerk)
    page = f"{LIST}{mine.pk}/change/"
    shown = body(desk.get(page))
    (new,) = re.findall(r'<input[^>]*name="blocks-2-position"[^>]*>', shown)
    assert 'value="2"' in new
    first, last = mine.blocks.all()
    posted = {"blocks-TOTAL_FORMS": 3, "blocks-INITIAL_FORMS": 2}
    for number, block in enumerate((first, last)):
        facts = {"id": block.pk, "template": mine.pk, "position": number, "text": block.text}
        posted |= {f"blocks-{number}-{name}": value for name, value in facts.items()}
    added = {"blocks-2-position": 2, "blocks-2-text": "Bye", "blocks-2-template": mine.pk}
    assert desk.post(page, form(world.xinyi, **posted | added)).status_code == 302
    assert mine.text.endswith("call {phone}\nBye")
    untouched = posted | {"blocks-INITIAL_FORMS": 3, "blocks-TOTAL_FORMS": 4}
    bye = mine.blocks.last()
    untouched |= {"blocks-2-id": bye.pk, "blocks-2-position": 2, "blocks-2-text": "Bye",
                  "blocks-3-position": 3, "blocks-3-text": ""}  # fmt: skip
    assert desk.post(page, form(world.xinyi, **untouched)).status_code == 302
    assert mine.blocks.count() == 3


def test_an_image_of_another_unit_cannot_be_put_into_a_template(desk, world):
    image = store_image(world.tainan, 1)
    values = {"template_images-TOTAL_FORMS": 1, "template_images-0-position": 0,
              "template_images-0-image": image.pk}  # fmt: skip
    assert desk.post(f"{LIST}add/", form(world.xinyi, **values)).status_code == 200
    assert not MessageTemplate.objects.exists()


def test_a_template_is_not_put_into_a_unit_out_of_reach(desk, world):
    assert desk.post(f"{LIST}add/", form(world.tainan)).status_code == 200
    assert not MessageTemplate.objects.exists()


def test_a_template_of_above_is_shown_and_not_changed(desk, world, template):
    assert "Notice" in body(desk.get(LIST))
    page = f"{LIST}{template.pk}/change/"
    shown = body(desk.get(page))
    assert "Dear guests of {unit}," in shown
    assert 'name="_save"' not in shown
    assert desk.post(page, form(world.xinyi)).status_code == 403
    assert desk.post(f"{LIST}{template.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [template.pk], "post": "yes"}
    desk.post(LIST, chosen)
    template.refresh_from_db()
    assert template.name == "Notice"


def test_one_that_is_not_shared_or_a_neighbours_is_not_there(desk, world, template):
    save_template(template, {"is_shared": False}, by=world.people["hq"])
    theirs = save_template(
        MessageTemplate(), {"unit": world.tainan, "name": "CANARY", "blocks": BLOCKS},
        by=world.people["tainan"],
    )  # fmt: skip
    shown = body(desk.get(LIST))
    assert "Notice" not in shown
    assert "CANARY" not in shown
    for row in (template, theirs):
        assert desk.get(f"{LIST}{row.pk}/use/").status_code == 404
        assert start(desk, row).status_code == 404
    assert not Schedule.objects.exists()


def test_an_inactive_template_is_not_offered(desk, world, template):
    save_template(template, {"is_active": False}, by=world.people["hq"])
    assert "Use this template" not in body(desk.get(LIST))
    assert start(desk, template).status_code == 404


def test_looking_at_a_template_makes_no_draft(desk, template):
    shown = body(desk.get(f"{LIST}{template.pk}/use/"))
    assert "call {phone}" in shown
    assert not Schedule.objects.exists()


def test_the_page_says_what_each_placeholder_stands_for_and_what_is_missing(desk, world, template):
    blocks = [{"text": "{unit} {phone} {hours} {owner}", "is_locked": True}]
    save_template(template, {"blocks": blocks}, by=world.people["hq"])
    for unit, name, value in (
        (world.north, "hours", "9 to 6"), (world.taipei, "hours", "10 to 7"),
        (world.tainan, "owner", "Theirs"),
    ):  # fmt: skip
        PlaceholderValue.objects.create(unit=unit, name=name, value=value)
    page = desk.get(f"{LIST}{template.pk}/use/")
    assert [(row.name, row.value, row.source) for row in page.context["values"]] == [
        ("unit", "", "of each room"), ("phone", "119", "the template’s default"),
        ("hours", "10 to 7", "Taipei"), ("owner", None, ""),
    ]  # fmt: skip
    assert f'href="{VALUES}add/?name=owner"' in body(page)


def test_the_list_of_values_shows_those_of_units_above(desk, world):
    for unit, name, value in (
        (world.hq, "phone", "119"), (world.xinyi, "phone", "112"), (world.hq, "fax", "1"),
        (world.north, "fax", "2"), (world.south, "web", "Theirs"),
    ):  # fmt: skip
        PlaceholderValue.objects.create(unit=unit, name=name, value=value)
    page = desk.get(VALUES)
    above = [(row.name, row.value, row.source) for row in page.context["values_above"]]
    assert above == [("fax", "2", "North")] and "Theirs" not in body(page)


def test_passages_that_are_added_at_once_have_places_of_their_own(desk, world):
    added = {f"blocks-{n}-{name}": value for n in range(3) for name, value in (
        ("position", 0), ("text", f"Passage {n}"),
    )}  # fmt: skip
    desk.post(f"{LIST}add/", form(world.xinyi, **added, **{"blocks-TOTAL_FORMS": 3}))
    blocks = MessageTemplate.objects.get().blocks.values_list("position", "text")
    assert list(blocks) == [(0, "Passage 0"), (1, "Passage 1"), (2, "Passage 2")]


@pytest.mark.parametrize(
    ("language", "room"), [("ko", "방"), ("zh-hant", "聊天室"), ("en", "room")]
)
def test_placeholders_are_offered_as_people_of_a_language_write_them(
    desk, make_schedule, language, room
):
    draft = make_schedule(text="Hello")
    shown = body(desk.get(address(draft, "content"), headers={"Accept-Language": language}))
    assert f'data-insert="{{{room}}}"' in shown


def test_using_a_template_starts_the_form_filled_in(desk, world, template):
    uid = uuid4()
    answers = [start(desk, template, uid=uid) for _ in "12"]
    draft = Schedule.objects.get()
    assert {answer["Location"] for answer in answers} == {address(draft, "target")}
    assert (draft.unit, draft.title) == (world.xinyi, "Notice")
    shown = body(desk.get(address(draft, "content")))
    assert "call {phone}" in shown
    assert "Made from the template “Notice”." in shown


def test_a_viewer_looks_at_a_template_and_cannot_use_it(client, world, template):
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    shown = body(client.get(f"{LIST}{template.pk}/use/"))
    assert "call {phone}" in shown
    assert 'name="uid"' not in shown
    assert start(client, template).status_code == 404


def test_what_was_registered_from_a_template_is_counted(desk, world, template, clerk):
    for _draft in range(3):
        start(desk, template)
    for draft in Schedule.objects.all()[:2]:
        draft.rooms.set([world.room])
        row = Schedule.objects.filter(pk=draft.pk)
        row.update(timing_kind="daily", time="09:00", title=str(draft.pk), text=f"Dear guests "
                   f"of {{unit}},{draft.pk}")  # fmt: skip
        actions.register(row.get(), by=clerk)
    page = desk.get(f"{LIST}{template.pk}/use/")
    assert "2 schedules registered from it" in body(page)


def test_another_branchs_schedules_are_not_counted_for_this_one(desk, world, template):
    Schedule.objects.create(
        unit=world.tainan, title="Theirs", template=template, registered_at="2026-11-23T00:00Z"
    )
    assert "0 schedules registered" in body(desk.get(f"{LIST}{template.pk}/use/"))


def test_the_list_takes_as_many_queries_for_many(desk, world, template, clerk,
                                                 django_assert_max_num_queries):  # fmt: skip
    def queries():
        with django_assert_max_num_queries(200) as counted:
            desk.get(LIST)
        return len(counted)

    queries()
    one = queries()
    for number in range(3):
        values = {"unit": world.xinyi, "name": f"More {number}", "blocks": BLOCKS}
        save_template(MessageTemplate(), values, by=clerk)
    assert queries() == one


def test_values_are_kept_for_ones_own_unit_only(desk, world):
    posted = {"unit": world.xinyi.pk, "name": "phone", "value": "02-555"}
    assert desk.post(f"{VALUES}add/", posted).status_code == 302
    assert PlaceholderValue.objects.get().unit == world.xinyi
    for wrong in ({"unit": world.hq.pk}, {"name": "방"}, {"name": "phone"}):
        assert desk.post(f"{VALUES}add/", posted | {"name": "other"} | wrong).status_code == 200
    assert PlaceholderValue.objects.count() == 1
    above = PlaceholderValue.objects.create(unit=world.hq, name="above", value="x")
    PlaceholderValue.objects.create(unit=world.tainan, name="CANARY", value="x")
    page = desk.get(VALUES)
    assert "CANARY" not in body(page) and above not in page.context["cl"].queryset
    assert desk.get(f"{VALUES}{above.pk}/change/").status_code == 302


# The message step


@pytest.fixture
def draft(make_schedule, clerk):
    return make_schedule(registered_by=clerk, text="Hello {room}")


def test_the_message_step_offers_the_placeholders_of_the_unit(desk, world, draft):
    PlaceholderValue.objects.create(unit=world.hq, name="phone", value="119")
    PlaceholderValue.objects.create(unit=world.tainan, name="CANARY", value="x")
    shown = body(desk.get(address(draft, "content")))
    for name in ("room", "unit", "date", "time", "phone"):
        assert f'data-insert="{{{name}}}"' in shown
    assert "CANARY" not in shown


def test_the_preview_follows_the_room_that_is_chosen(desk, world, draft):
    draft.rooms.set([world.room, world.test_room])
    marks = open_step(desk, draft, "content")
    posted = marks | CONTENT | {"text": "Hello {room}", "target": world.test_room.pk}
    answer = desk.post(f"{address(draft, 'content')}live/", posted).json()
    assert "Hello Xinyi test" in answer["panel"]
    shown = body(desk.get(f"{address(draft, 'review')}?target={world.test_room.pk}"))
    assert "Hello Xinyi test" in shown


def test_a_missing_value_is_said_while_it_is_typed(desk, draft):
    marks = open_step(desk, draft, "content")
    answer = desk.post(f"{address(draft, 'content')}live/", marks | CONTENT | {"text": "{x}"})
    assert answer.json()["problems"] == {"text": ["“Xinyi room”: There is no value for {x}."]}


def test_locked_passages_are_shown_beside_the_text(desk, template):
    start(desk, template)
    shown = body(desk.get(address(Schedule.objects.get(), "content")))
    assert "<blockquote" in shown
    assert "Dear guests of {unit},</blockquote>" in shown


def test_the_pages_of_a_schedule_and_its_run_show_the_filled_text(desk, draft, clerk):
    schedule = actions.register(draft, by=clerk)
    assert "Hello Xinyi room" in body(desk.get(f"/admin/schedules/schedule/{schedule.pk}/change/"))
    (delivery,) = plan_at(schedule, schedule.next_due_at)
    page = f"/admin/schedules/run/{delivery.run_id}/change/?target={delivery.pk}"
    assert "Hello Xinyi room" in body(desk.get(page))
