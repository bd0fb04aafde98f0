"""Image files over HTTP: by public link for channels, by reach for people.

Whatever is not to be had gets one and the same answer, so that it tells nothing.
"""

import asyncio
import logging
import re

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import FileResponse, HttpRequest, HttpResponseBase, HttpResponseNotFound
from django.urls import re_path
from django.views.decorators.http import require_safe

from channels.models.image import Image, MediaLink, Rendition
from orgs.clock import database_now
from orgs.reach import Act, within

logger = logging.getLogger(__name__)

LINK_NAME = re.compile(r"([A-Za-z0-9_-]{32})\.(jpg|png)")

# Long enough for a phone that shows the same chat twice, short for a link that is revoked.
LINK_CACHING = "private, max-age=300"
# Two people may share a browser.
MEMBER_CACHING = "private, no-store"


def public_url(link: MediaLink) -> str:
    """The whole address that a channel is given."""
    return f"{settings.TEIJI_PUBLIC_URL}{link.path}"


async def read_linked(url: str) -> bytes:
    """The bytes behind one of our own links, for channels that take bytes. Raises LookupError
    where it is not to be had, OSError where the storage cannot say."""
    return await asyncio.to_thread(_linked_bytes, url)


@require_safe
def linked_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """The file behind a public link, for anyone who knows it, while it is active."""
    link = _usable_link(name)
    return _nothing() if link is None else _file(link.image, link.rendition, LINK_CACHING)


@require_safe
def image_file(request: HttpRequest, image_id: str, rendition: str) -> HttpResponseBase:
    """An image's file, for people whose reach covers it."""
    image = within(request.user, Image.objects.all(), Act.VIEW).filter(pk=image_id).first()
    return _nothing() if image is None else _file(image, rendition, MEMBER_CACHING)


def _usable_link(name: str) -> MediaLink | None:
    parts = LINK_NAME.fullmatch(name)
    if parts is None:
        return None
    token, extension = parts.groups()
    link = MediaLink.objects.usable(token, database_now()).first()
    return link if link and link.extension == extension else None


def _linked_bytes(url: str) -> bytes:
    try:
        link = _usable_link(url.rpartition("/m/")[2])
        if link is None:
            raise LookupError("no such link")
        file, _content_type = link.image.rendition(link.rendition)
        try:
            with file.open("rb") as opened:
                return bytes(opened.read())
        except FileNotFoundError as error:
            raise LookupError("not in the storage") from error
    except DatabaseError as error:
        raise OSError("the database cannot say") from error
    finally:
        connection.close()  # of the passing thread


def _file(image: Image, rendition: str, caching: str) -> HttpResponseBase:
    file, content_type = image.rendition(rendition)
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        logger.error("The %s of image %s is not in the storage.", rendition, image.pk)
        return _nothing()
    response = FileResponse(opened, content_type=content_type)
    response["Content-Disposition"] = "inline"  # without the stored name, which Django adds
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = caching
    return response


def _nothing() -> HttpResponseNotFound:
    # Some caches in front keep a 404 for minutes: a link asked for too early would stay dead.
    response = HttpResponseNotFound(
        content_type="text/plain", headers={"Cache-Control": "private, no-store"}
    )
    # Django would log the address, and with it the token of a link that opens tomorrow.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


_renditions = "|".join(Rendition.values)
urlpatterns = [
    # Everything under m/, so that a malformed link answers as an unknown one does.
    re_path(r"^m/(?P<name>[\s\S]*)\Z", linked_file, name="linked-file"),
    re_path(
        rf"^media/(?P<image_id>[0-9]{{1,18}})/(?P<rendition>{_renditions})\Z",
        image_file,
        name="image-file",
    ),
]
