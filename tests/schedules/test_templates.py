"""Templates: whose they are, what a schedule that is made from one keeps of it."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from channels.models import Room
from orgs.models import Unit
from orgs.reach import Role
from schedules import actions, rules
from schedules.actions import Refused
from schedules.actions.refusal import OutOfReach
from schedules.actions.template import apply_template, delete_template, save_template
from schedules.models import MessageTemplate, PlaceholderValue, Schedule, TemplateDefault
from schedules.shown.chat import chats_of_draft, chats_of_run, image_url, sent_content
from tests.conftest import store_image
from tests.schedules.conftest import plan_at

pytestmark = pytest.mark.django_db

BLOCKS = [
    {"text": "Dear guests of {unit},", "is_locked": True},
    {"text": "write here", "is_locked": False},
    {"text": "Call {phone}.", "is_locked": True},
]


@pytest.fixture
def template(world):
    """One of headquarters with two locked passages and a default."""
    return keep(world.hq, world.people["hq"])


def keep(unit: Unit, by, **values) -> MessageTemplate:
    defaults = {"unit": unit, "name": "Notice", "blocks": BLOCKS, "defaults": {"phone": "119"}}
    return save_template(MessageTemplate(), defaults | values, by=by)


@pytest.fixture
def use(world):
    """A draft of xinyi, made from a template by its manager, that could be registered."""

    def make(template: MessageTemplate, **values) -> Schedule:
        draft = apply_template(
            template, by=world.people["xinyi"], unit=world.xinyi, uid=uuid4()
        ).draft
        Schedule.objects.filter(pk=draft.pk).update(timing_kind="now", **values)
        draft = Schedule.objects.get(pk=draft.pk)
        draft.rooms.set([world.room])
        return draft

    return make


def problems(draft, world):
    return rules.problems(draft, by=world.people["xinyi"], now=draft.created_at)


def test_a_draft_starts_with_all_that_the_template_says(world, template, use):
    draft = use(template)
    assert (draft.title, draft.state, draft.unit) == ("Notice", "draft", world.xinyi)
    assert draft.text == "Dear guests of {unit},\nwrite here\nCall {phone}."
    assert (draft.template, draft.terms["defaults"]) == (template, {"phone": "119"})
    assert problems(draft, world) == {}


def test_the_same_uid_is_the_same_draft(world, template):
    uid, by = uuid4(), world.people["xinyi"]
    one, other = (apply_template(template, by=by, unit=world.xinyi, uid=uid) for _ in "12")
    assert one == other


def test_units_below_use_a_shared_template_and_cannot_change_it(world, template):
    for code in ("north", "taipei", "xinyi", "tainan"):
        person = world.people[code]
        assert apply_template(template, by=person, unit=person.member.unit, uid=uuid4())
        with pytest.raises(OutOfReach):
            save_template(template, {"name": "stolen"}, by=person)
        with pytest.raises(OutOfReach):
            delete_template(template, by=person)
    template.refresh_from_db()
    assert template.name == "Notice"


@pytest.mark.parametrize("values", [{"is_shared": False}, {"is_active": False}])
def test_what_is_not_shared_or_not_active_is_not_used(world, template, values):
    save_template(template, values, by=world.people["hq"])
    with pytest.raises(OutOfReach):
        apply_template(template, by=world.people["xinyi"], unit=world.xinyi, uid=uuid4())


def test_a_neighbours_template_is_not_there(world):
    theirs = keep(world.tainan, world.people["tainan"])
    with pytest.raises(OutOfReach):
        apply_template(theirs, by=world.people["xinyi"], unit=world.xinyi, uid=uuid4())


def test_nobody_keeps_a_template_in_a_unit_above_or_beside(world):
    for unit in (world.hq, world.taipei, world.tainan):
        with pytest.raises(OutOfReach):
            keep(unit, world.people["xinyi"])


def test_a_viewer_keeps_and_uses_none(world, template):
    viewer = world.person(world.xinyi, Role.VIEWER)
    with pytest.raises(OutOfReach):
        keep(world.xinyi, viewer)
    with pytest.raises(OutOfReach):
        apply_template(template, by=viewer, unit=world.xinyi, uid=uuid4())


def test_two_templates_of_a_unit_have_two_names(world, template):
    with pytest.raises(Refused) as refused:
        keep(world.hq, world.people["hq"])
    assert set(refused.value.problems) == {"name"}


def test_the_passages_between_locked_ones_are_free(world, template, use):
    text = "Ahoy!\nDear guests of {unit},\n\nWe close at six.\n\nCall {phone}.\nBye"
    assert problems(use(template, text=text), world) == {}


@pytest.mark.parametrize(
    ("text", "passage"),
    [
        ("Dear guests of {unit},\nCall 1234.", "Call {phone}."),
        ("Call {phone}.\nDear guests of {unit},", "Call {phone}."),
        ("dear guests of {unit},\nCall {phone}.", "Dear guests of {unit},"),
    ],
)
def test_a_locked_passage_that_was_changed_is_named(world, template, use, text, passage):
    found = problems(use(template, text=text), world)
    assert found == {"text": [f"The template does not let this passage be changed: “{passage}”"]}


def test_a_locked_placeholder_cannot_be_made_text_by_braces_around_it(world, use):
    blocks = [{"text": "{phone}", "is_locked": True}]
    bare = keep(world.hq, world.people["hq"], name="Bare", blocks=blocks)
    found = problems(use(bare, text="Ring {{phone}}"), world)
    assert found == {"text": ["The template does not let this passage be changed: “{phone}”"]}


def test_locked_passages_cannot_be_left_out_by_sending_images_only(
    world, template, use, make_images
):
    draft = use(template)
    actions.add_image(draft, make_images(1)[0], by=world.people["xinyi"])
    Schedule.objects.filter(pk=draft.pk).update(order="images_only")
    assert set(problems(Schedule.objects.get(pk=draft.pk), world)) == {"order"}


def test_an_edit_of_the_template_changes_no_schedule(world, template, use):
    draft = use(template)
    changed = {"blocks": [{"text": "Other", "is_locked": True}], "defaults": {}}
    save_template(template, changed, by=world.people["hq"])
    assert problems(draft, world) == {}
    done = actions.register(draft, by=world.people["xinyi"])
    (delivery,) = done.runs.get().deliveries.all()
    assert delivery.payloads[0]["messages"][0]["text"].endswith("Call 119.")
    delete_template(template, by=world.people["hq"])
    done.refresh_from_db()
    assert (done.template, done.terms["defaults"]) == (None, {"phone": "119"})


def test_a_working_copy_is_bound_as_what_it_edits(world, template, make_schedule, use):
    draft = use(template)
    Schedule.objects.filter(pk=draft.pk).update(timing_kind="interval", every_minutes=30)
    done = actions.register(Schedule.objects.get(pk=draft.pk), by=world.people["xinyi"])
    copy = actions.begin_edit(done, by=world.people["xinyi"])
    assert problems(copy, world) == {}
    Schedule.objects.filter(pk=copy.pk).update(text="Something else")
    with pytest.raises(Refused) as refused:
        actions.change(Schedule.objects.get(pk=copy.pk), by=world.people["xinyi"])
    assert len(refused.value.problems["text"]) == 2
    Schedule.objects.filter(pk=copy.pk).update(text=draft.text.replace("write here", "Closed."))
    changed = actions.change(Schedule.objects.get(pk=copy.pk), by=world.people["xinyi"])
    assert (changed.template, changed.terms["defaults"]) == (template, {"phone": "119"})


def test_a_duplicate_is_bound_as_what_it_was_made_from(world, template, use):
    by = world.people["xinyi"]
    done = actions.register(use(template), by=by)
    draft = actions.duplicate(done, by=by, uid=uuid4())
    assert (draft.template, draft.terms) == (template, done.terms)
    Schedule.objects.filter(pk=draft.pk).update(text="Something else")
    assert len(problems(Schedule.objects.get(pk=draft.pk), world)["text"]) == 2


def test_the_nearest_units_value_wins_and_a_default_is_the_last(world, template, use):
    def sent():
        chat = chats_of_draft(use(template), by=world.people["xinyi"])[0]
        return chat.requests[0][0].text.split()[-1]

    assert sent() == "119."
    for unit, value in [(world.hq, "1"), (world.taipei, "2"), (world.south, "x")]:
        PlaceholderValue.objects.create(unit=unit, name="phone", value=value)
    assert sent() == "2."
    PlaceholderValue.objects.create(unit=world.xinyi, name="phone", value="3")
    assert sent() == "3."


def test_values_of_many_units_are_one_query(world, django_assert_num_queries):
    PlaceholderValue.objects.create(unit=world.hq, name="phone", value="1")
    paths = [world.xinyi.path, world.tainan.path, world.hq.path]
    with django_assert_num_queries(1):
        found = PlaceholderValue.objects.inherited(paths)
    assert found == {path: {"phone": "1"} for path in paths}


@pytest.mark.parametrize("name", ["room", "방", "房間", "a b", "", "1st", "a.b", "n" * 51, "{a}"])
def test_a_value_has_a_name_of_its_own(world, name):
    with pytest.raises(ValidationError):
        PlaceholderValue(unit=world.hq, name=name, value="x").full_clean()


def test_a_korean_name_is_stored_as_it_is_looked_up(world):
    row = PlaceholderValue(unit=world.hq, name="\u1107\u1161\u11bc2", value="x")
    row.full_clean()
    assert row.name == "방2"


def test_images_of_a_template_above_become_the_units_own(world, settings, tmp_path, use):
    settings.MEDIA_ROOT = tmp_path
    image = store_image(world.hq, 1)
    draft = use(keep(world.hq, world.people["hq"], images=[image]))
    mine = draft.schedule_images.get().image
    assert (mine.unit, mine.sha256, mine.file.name) == (world.xinyi, image.sha256, image.file.name)
    assert problems(draft, world) == {}
    again = use(MessageTemplate.objects.get())
    assert again.schedule_images.get().image == mine


def test_the_preview_shows_the_chosen_room_by_the_planners_code(world, make_schedule):
    rooms = [world.room, world.test_room]
    draft = make_schedule(rooms=rooms, text="{room} at {time}", timing_kind="interval",
                          every_minutes=30, date=None, time=None)  # fmt: skip
    by = world.people["xinyi"]
    (first,) = chats_of_draft(draft, by=by)
    assert first.chosen == world.room.pk
    assert first.choices == [(room.pk, room.name) for room in rooms]
    (chosen,) = chats_of_draft(draft, by=by, target=str(world.test_room.pk))
    draft.rooms.set([world.test_room])
    schedule = actions.register(draft, by=by)
    (delivery,) = plan_at(schedule, schedule.next_due_at)
    assert chosen.requests[0][0].text == delivery.payloads[0]["messages"][0]["text"]


def test_the_preview_shows_no_value_of_a_room_elsewhere(world, make_schedule):
    PlaceholderValue.objects.create(unit=world.tainan, name="secret", value="CANARY")
    draft = make_schedule(rooms=[world.tainan_room], text="{secret} {room}")
    by = world.people["xinyi"]
    for target in ("", str(world.tainan_room.pk)):
        assert chats_of_draft(draft, by=by, target=target) == []


def test_a_preview_with_a_missing_value_shows_the_gap(world, make_schedule):
    (chat,) = chats_of_draft(make_schedule(text="{room} {x}"), by=world.people["xinyi"])
    assert chat.requests[0][0].text == "Xinyi room {x}"


def test_a_runs_page_shows_what_the_chosen_room_was_sent(world, make_schedule, make_images):
    second = Room.objects.create(
        unit=world.xinyi, account=world.sandbox, name="Zoo room", address="zoo"
    )
    draft = make_schedule(
        rooms=[world.room, second], text="{room}", images=make_images(1), interval_seconds=1
    )
    schedule = actions.register(draft, by=world.people["xinyi"])
    first, last = plan_at(schedule, schedule.next_due_at)
    run = schedule.runs.get()
    (chat,) = chats_of_run(run, target=str(last.pk))
    text, image = (bubbles[0] for bubbles in chat.requests)
    assert text.text == "Zoo room"
    assert image.url == image_url(draft.schedule_images.get().image_id)
    assert chat.choices == [(first.pk, "Xinyi room"), (last.pk, "Zoo room")]
    assert chats_of_run(run, target="999")[0].chosen == first.pk


def test_what_a_room_was_sent_is_told_as_it_was_filled(world, make_schedule):
    by = world.people["xinyi"]
    filled = actions.register(make_schedule(text="Hello {room}"), by=by)
    (delivery,) = plan_at(filled, filled.next_due_at)
    assert sent_content(delivery)["text"] == "Hello Xinyi room"
    plain = actions.register(make_schedule(text="Hello room"), by=by)
    (delivery,) = plan_at(plain, plain.next_due_at)
    assert sent_content(delivery) == delivery.run.content


def test_defaults_that_differ_make_different_messages(world, template, use):
    first = use(template)
    save_template(template, {"defaults": {"phone": "110"}}, by=world.people["hq"])
    second = use(template)
    assert first.text == second.text
    assert first.content.digest != second.content.digest


def test_a_template_says_what_it_is(world, template):
    assert template.is_system
    assert not keep(world.xinyi, world.people["xinyi"]).is_system
    assert [str(template), str(template.blocks.first())] == ["Notice", "Dear guests of {unit},"]
    assert str(TemplateDefault.objects.first()) == "{phone}"
