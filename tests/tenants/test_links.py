"""No page leads to where its reader may not go."""

import re
from html import unescape

import pytest
from django.test import Client

from config.scoped import rates
from orgs.reach import Role
from schedules.models import MessageTemplate
from tests.tenants.canaries import WORD, make_canaries
from tests.tenants.routes import routes

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LINK = re.compile(r'href="(/admin/[^"#]*)')
QUERIES = 3  # of each list: filters and orderings are many, and alike


@pytest.fixture
def canaries(world, make_schedule, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(rates, "MOST", 1_000_000)
    return make_canaries(world, make_schedule)


@pytest.mark.parametrize(
    "role", [Role.OPERATOR, pytest.param(Role.VIEWER, marks=pytest.mark.thorough)]
)
def test_every_link_that_is_shown_can_be_followed(world, canaries, role):
    client = Client(raise_request_exception=False)
    client.force_login(world.person(world.tainan, role))
    typed = [route.foreign for route in routes(canaries) if route.foreign.startswith("/admin")]
    shown: dict[str, str] = {}  # and where
    for address in typed:
        for link in links_of(client.get(address)):
            shown.setdefault(link, address)
    refused = {
        (link, where): answer.status_code
        for link, where in few_of_each(shown).items()
        if (answer := client.get(link, follow=True)).status_code not in (200, 204)
    }
    assert len(shown) > 50
    assert refused == {}


def links_of(answer) -> set[str]:
    is_page = answer.status_code == 200 and "html" in answer.headers["Content-Type"]
    return {unescape(link) for link in LINK.findall(answer.content.decode())} if is_page else set()


def few_of_each(shown: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    asked: dict[str, int] = {}
    for link, where in shown.items():
        path, _mark, query = link.partition("?")
        asked[path] = asked.get(path, 0) + bool(query)
        if asked[path] <= QUERIES:
            found[link] = where
    return found


def test_a_row_that_its_reader_may_not_see_is_named_without_a_link(world, client):
    template = MessageTemplate.objects.create(unit=world.south, name=f"{WORD} template")
    address = f"/admin/schedules/messagetemplate/{template.pk}/change/"
    link = f'href="/admin/orgs/unit/{world.south.pk}/change/"'
    client.force_login(world.people["tainan"])
    page = client.get(address).content.decode()
    assert "South" in page
    assert link not in page
    client.force_login(world.person(world.south, Role.VIEWER))
    assert link in client.get(address).content.decode()
