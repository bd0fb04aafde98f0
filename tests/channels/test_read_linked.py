"""Channels that fetch nothing are given the bytes behind our own links."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from channels.media import public_url, read_linked
from channels.models import Image, MediaLink
from orgs.clock import database_now
from orgs.models import Unit
from tests.channels.test_media import upload

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture
def link(settings, tmp_path) -> MediaLink:
    settings.MEDIA_ROOT = tmp_path
    unit = Unit.objects.add_root({"kind": "headquarters", "code": "images-hq", "name": "HQ"})
    image = Image.objects.store(unit=unit, by=None, data=upload(), name="a.png")
    now = database_now()
    links = MediaLink.objects.links_for([image], active_from=now - HOUR, active_until=now + HOUR)
    links[0].save()
    return links[0]


def test_a_link_gives_the_file_as_it_was_stored(link):
    with link.image.file.open("rb") as stored:
        assert asyncio.run(read_linked(public_url(link))) == stored.read()


@pytest.mark.parametrize(
    "changed",
    [lambda url: f"{url}x", lambda url: url.replace(".png", ".jpg"), lambda url: "https://a/"],
)
def test_an_address_that_is_none_of_ours_gives_nothing(link, changed: Callable[[str], str]):
    with pytest.raises(LookupError):
        asyncio.run(read_linked(changed(public_url(link))))


def test_a_link_that_was_closed_gives_nothing(link):
    MediaLink.objects.all().revoke(database_now())
    with pytest.raises(LookupError):
        asyncio.run(read_linked(public_url(link)))


def test_a_file_that_is_gone_gives_nothing(link):
    link.image.file.delete(save=False)
    with pytest.raises(LookupError):
        asyncio.run(read_linked(public_url(link)))
