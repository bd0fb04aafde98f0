"""A row that was changed after its form was opened: saving says so first, and loses nothing."""

import json
from typing import Any

import pytest
from django.forms import BaseForm
from django.test import Client

from channels.models import Room
from schedules.models import MessageTemplate, TemplateBlock
from tests.config.test_forged_forms import canaries, desk, form_at, pages

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

__all__ = ["canaries", "desk"]

SAID = "This was changed after you opened it"


def address_of(row: Any) -> str:
    meta = row._meta
    return f"/admin/{meta.app_label}/{meta.model_name}/{row.pk}/change/"


def as_shown(form: BaseForm) -> dict[str, Any]:
    values = {bound.html_name: bound.value() for bound in form}
    return {
        name: value for name, value in values.items() if value is not None and value is not False
    }


def opened(desk: Client, row: Any) -> dict[str, Any]:
    """What the page of this row would post as it stands, its parts included."""
    return as_posted(desk.get(address_of(row)).context)


def as_posted(page: Any) -> dict[str, Any]:
    posted = as_shown(page["adminform"].form) | {"seen": page["adminform"].form.seen}
    for shown in page["inline_admin_formsets"]:
        for form in [shown.formset.management_form, *shown.formset.forms]:
            posted |= as_shown(form)
    return posted


def test_every_form_that_changes_a_row_knows_what_it_showed(canaries, desk):
    asked = 0
    for row in canaries.rows.values():
        page = pages().get(type(row))
        form = form_at(desk, address_of(row)) if page else None
        if form and form.fields and page.has_change_permission(_request(desk)):
            answer = desk.get(address_of(row)).content.decode()
            assert '<input type="hidden" name="seen"' in answer, address_of(row)
            assert set(json.loads(form.seen)) >= set(form.fields)
            asked += 1
    assert asked > 8


def _request(desk: Client) -> Any:
    return desk.get("/admin/").wsgi_request


def test_the_second_of_two_windows_is_told_and_keeps_what_was_typed(desk, world):
    first, second = (opened(desk, world.room) for _window in range(2))
    assert desk.post(address_of(world.room), first | {"name": "First"}).status_code == 302
    answer = desk.post(address_of(world.room), second | {"name": "Second", "daily_cap": 7})
    form = answer.context["adminform"].form
    assert SAID in form.non_field_errors()[0]
    assert form.errors["name"] == ["Now it is: First"]
    assert "daily_cap" not in form.errors
    assert (form["name"].value(), form["daily_cap"].value()) == ("Second", "7")
    assert Room.objects.get(pk=world.room.pk).name == "First"

    again = as_shown(form) | {"seen": form.seen}
    assert desk.post(address_of(world.room), again).status_code == 302
    world.room.refresh_from_db()
    assert (world.room.name, world.room.daily_cap) == ("Second", 7)


def test_what_was_not_touched_here_is_not_changed_back_unseen(desk, world):
    posted = opened(desk, world.room)
    Room.objects.filter(pk=world.room.pk).update(name="Theirs", is_active=False)
    answer = desk.post(address_of(world.room), posted | {"daily_cap": 7})
    errors = answer.context["adminform"].form.errors
    assert errors["name"] == ["Now it is: Theirs"]
    assert errors["is_active"] == ["Now it is: No"]


def test_who_goes_back_and_saves_the_same_again_is_asked_nothing(desk, world):
    posted = opened(desk, world.room) | {"name": "Once"}
    for _save in range(2):
        assert desk.post(address_of(world.room), posted).status_code == 302


def test_a_program_that_posts_no_marks_and_one_that_posts_nonsense_are_asked_nothing(desk, world):
    posted = opened(desk, world.room)
    Room.objects.filter(pk=world.room.pk).update(name="Theirs")
    for marks in ({"seen": "{"}, {"seen": "[]"}, {}):
        known = {name: value for name, value in posted.items() if name != "seen"}
        assert desk.post(address_of(world.room), known | marks).status_code == 302


def test_passages_of_a_template_that_were_changed_are_named(desk, world):
    template = MessageTemplate.objects.create(unit=world.hq, name="Holiday")
    block = TemplateBlock.objects.create(template=template, position=0, text="We are closed")
    posted = opened(desk, template)
    TemplateBlock.objects.filter(pk=block.pk).update(text="We are open")
    answer = desk.post(address_of(template), posted | {"name": "Holidays"})
    [said] = answer.context["adminform"].form.non_field_errors()
    assert said.startswith(SAID) and said.endswith("Also changed: passages.")
    block.refresh_from_db()
    assert block.text == "We are open"


def test_a_passage_that_was_deleted_meanwhile_is_kept_as_a_new_one(desk, world):
    template = MessageTemplate.objects.create(unit=world.hq, name="Holiday")
    first, second, third = (
        TemplateBlock.objects.create(template=template, position=place, text=text)
        for place, text in enumerate(["One", "Two", "Three"])
    )
    posted = opened(desk, template)
    second.delete()
    posted |= {"blocks-1-text": "Two, kept"}
    answer = desk.post(address_of(template), posted)
    assert SAID in answer.context["adminform"].form.non_field_errors()[0]
    shown = answer.context["inline_admin_formsets"][0].formset
    assert [form["text"].value() for form in shown.initial_forms] == ["One", "Three"]
    assert shown.extra_forms[0]["text"].value() == "Two, kept"

    assert desk.post(address_of(template), as_posted(answer.context)).status_code == 302
    assert list(template.blocks.values_list("text", flat=True)) == ["One", "Two, kept", "Three"]
    assert set(template.blocks.values_list("pk", flat=True)) > {first.pk, third.pk}
