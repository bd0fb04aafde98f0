"""The images of a draft: uploaded one by one, their order saved at once."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.models import Image
from channels.renditions import UnusableImage
from orgs.clock import database_now
from schedules import actions
from schedules.models import Schedule
from schedules.wizard import pages
from schedules.wizard.access import draft_or_404, is_id
from schedules.wizard.posting import post_or_step
from schedules.wizard.steps import all_problems, url_of


@post_or_step("content")
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Add the posted files, each by itself: one that cannot be used does not stop the others."""
    draft = draft_or_404(request, pk)
    refused = []
    for file in request.FILES.getlist("images"):
        try:
            draft = _add(request, draft, file)
        except (UnusableImage, actions.Refused) as error:
            refused.append({"name": str(file.name), "message": str(error.args[0])})
    return _answer(request, draft, refused)


@post_or_step("content")
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the order in which the images were put: all their ids, or one and its direction."""
    draft = draft_or_404(request, pk)
    ids = [int(value) for value in request.POST.getlist("image") if is_id(value)]
    if request.POST.get("move"):
        ids = _moved(draft, *_read_move(request.POST["move"]))
    return _answer(request, actions.order_images(draft, ids, by=request.user))


@post_or_step("content")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an image out."""
    draft = draft_or_404(request, pk)
    posted = request.POST.get("image", "")
    if not is_id(posted):
        raise Http404
    return _answer(request, actions.remove_image(draft, int(posted), by=request.user))


def _add(request: HttpRequest, draft: Schedule, file: Any) -> Schedule:
    actions.check_room_for_image(draft)
    user: Any = request.user
    image = Image.objects.store(unit=draft.unit, by=user, data=file, name=file.name)
    return actions.add_image(draft, image, by=user)


def _read_move(text: str) -> tuple[int, int]:
    """“17:up” is image 17, one place forward."""
    image_id, _colon, direction = text.partition(":")
    if not is_id(image_id) or direction not in ("up", "down"):
        raise Http404
    return int(image_id), -1 if direction == "up" else 1


def _moved(draft: Schedule, image_id: int, distance: int) -> list[int]:
    ids = [row["id"] for row in pages.image_rows(draft)]
    if image_id in ids:
        place = ids.index(image_id)
        ids.insert(max(place + distance, 0), ids.pop(place))
    return ids


def _answer(
    request: HttpRequest, draft: Schedule, refused: list[dict[str, str]] | None = None
) -> HttpResponse:
    """The list as it now stands, for the script; without it, back to the page."""
    if request.headers.get("Accept") != "application/json":
        for file in refused or []:
            messages.error(request, f"{file['name']}: {file['message']}")
        return redirect(url_of(draft, "content") + "#field-images")
    rows = pages.image_rows(draft)
    found = all_problems(draft, by=request.user, now=database_now())
    context = {"images": rows, "draft": draft}
    return JsonResponse(
        {
            **pages.marks(draft, "content"),
            "list": render_to_string("schedules/wizard/images.html", context, request),
            "panel": pages.panel(request, draft, "content"),
            "steps": pages.bar(request, draft, "content", found),
            "refused": refused or [],
            "ids": [str(row["id"]) for row in rows],
            "count": len(rows),
            "said": ngettext("%(count)d image", "%(count)d images", len(rows))
            % {"count": len(rows)}
            + (" · " + _("some files could not be used") if refused else ""),
        }
    )
