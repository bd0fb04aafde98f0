"""What completes a word as one types tells nobody of rows that they do not reach."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Field
from django.test import Client
from django.urls import get_resolver

from tests.tenants.canaries import BLIND, SEES, WORD, make_canaries
from tests.tenants.test_matrix import content

pytestmark = pytest.mark.django_db

ADDRESS = "/admin/autocomplete/"


@pytest.fixture
def canaries(world, make_schedule, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return make_canaries(world, make_schedule)


@pytest.fixture(scope="module", autouse=True)
def pages():
    """The addresses load them."""
    assert get_resolver().url_patterns and admin.site._registry


def declared() -> set[Field]:
    """Those that a form of the admin offers, in its inlines too."""
    forms = [*admin.site._registry.values()]
    forms += [
        inline(page.model, admin.site)
        for page in admin.site._registry.values()
        for inline in page.inlines
    ]
    return {form.model._meta.get_field(name) for form in forms for name in form.autocomplete_fields}


def askable() -> list[Field]:
    """Every relation to what has a page: the address answers for each that can be searched, whether
    a form offers it or not."""
    relations = (
        field
        for model in apps.get_models()
        for field in [*model._meta.fields, *model._meta.many_to_many]
        if field.remote_field and field.remote_field.model in admin.site._registry
    )
    return sorted(relations, key=str)


def ask(client: Client, field: Field, term: str):
    about = {"app_label": field.model._meta.app_label, "model_name": field.model._meta.model_name}
    return client.get(ADDRESS, about | {"field_name": field.name, "term": term})


def found_by(client: Client, field: Field, term: str) -> list[dict]:
    answer = ask(client, field, term)
    assert answer.status_code in (200, 302, 403), (field, answer.status_code)
    if answer.status_code == 302:
        assert answer.url.startswith("/admin/login/"), (field, answer.url)
        return []
    assert WORD not in content(answer), (field, term)
    return answer.json()["results"] if answer.status_code == 200 else []


def client_of(world, who: str) -> Client:
    client = Client(raise_request_exception=False)
    if who != "anonymous":
        client.force_login(world.people[who])
    return client


def test_what_the_forms_offer_is_asked():
    assert declared() and declared() <= set(askable())


@pytest.mark.parametrize("who", [*BLIND, "anonymous"])
def test_nobody_is_told_of_a_row_out_of_reach(world, canaries, who):
    client = client_of(world, who)
    foreign = {(type(row), str(row.pk)) for row in canaries.rows.values()}
    for field in askable():
        assert found_by(client, field, WORD) == [], field
        everything = found_by(client, field, "")
        assert not {(field.remote_field.model, one["id"]) for one in everything} & foreign, field


@pytest.mark.parametrize("who", sorted(SEES))
def test_who_reaches_them_does_find_them(world, canaries, who):
    """Else the test above would prove nothing."""
    client = client_of(world, who)
    unseen = {
        field for field in declared() if WORD not in content(ask(client, field, WORD.lower()))
    }
    assert unseen == set()
