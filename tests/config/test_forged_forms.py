"""What no page offers, and somebody posts all the same, is an error of the form and not of ours."""

from typing import Any
from urllib.parse import quote

import pytest
from django import forms
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import get_resolver

from tests.tenants.canaries import make_canaries

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

# No number; larger than a column; a digit to Python and to no database; NUL.
FORGED = ["x", "9" * 30, "²", "1\x00"]
ASKED_BY_NUMBER = (forms.ModelChoiceField, forms.IntegerField, forms.TypedChoiceField)


@pytest.fixture
def canaries(world, make_schedule, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return make_canaries(world, make_schedule)


@pytest.fixture
def desk(world, client) -> Client:
    client.force_login(world.people["hq"])
    return client


def pages() -> dict[type[Model], admin.ModelAdmin]:
    assert get_resolver().url_patterns  # which register them
    return dict(admin.site._registry)


def addresses(canaries) -> list[str]:
    """The form of each kind of thing: of a new one, and of one that is there."""
    rows = {type(row): row for row in canaries.rows.values()}
    found = []
    for model in pages():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
        found.append(f"{address}/add/")
        if model in rows:
            found.append(f"{address}/{rows[model].pk}/change/")
    return found


def form_at(desk: Client, address: str) -> forms.BaseForm | None:
    answer = desk.get(address)
    shown = answer.context and answer.context.get("adminform")
    return shown.form if shown and answer.status_code == 200 else None


def as_shown(form: forms.BaseForm) -> dict[str, Any]:
    values = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in values.items() if value not in (None, False)}


@pytest.mark.parametrize("forged", FORGED, ids=ascii)
def test_a_forged_value_is_refused_at_its_field_in_every_form(canaries, desk, forged):
    asked = 0
    for address in addresses(canaries):
        form = form_at(desk, address)
        for name, field in form.fields.items() if form else ():
            if isinstance(field, ASKED_BY_NUMBER) and not field.disabled:
                answer = desk.post(address, as_shown(form) | {name: forged})
                assert answer.status_code == 200, (address, name)
                assert name in answer.context["adminform"].form.errors, (address, name)
                asked += 1
    assert asked > 20


@pytest.mark.parametrize("forged", FORGED, ids=ascii)
def test_a_forged_filter_is_no_error_of_ours(canaries, desk, forged):
    for model, page in pages().items():
        meta = model._meta
        address = f"/admin/{meta.app_label}/{meta.model_name}/"
        for item in page.list_filter:
            name = item[0] if isinstance(item, tuple) else item
            name = name if isinstance(name, str) else str(name.parameter_name)
            for lookup in (name, f"{name}__exact", f"{name}__id__exact"):
                assert desk.get(address, {lookup: forged}).status_code < 500, (address, lookup)


@pytest.mark.parametrize("forged", FORGED, ids=ascii)
def test_a_forged_id_in_an_address_is_not_found(canaries, desk, forged):
    for model in pages():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{quote(forged)}"
        for view in ("change", "delete", "history"):
            assert desk.get(f"{address}/{view}/").status_code < 500, (address, view)
