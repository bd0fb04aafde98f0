"""While somebody is seen as: the request is that person's, and may only read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from config.scoped.problems import MEDIA_TYPE, problem
from config.view_as.session import Look, end, look_of
from logs.history import origin
from orgs.clock import database_now

READING = {"GET", "HEAD", "OPTIONS"}


class ViewAsMiddleware:
    """Sets `request.look`, and `request.user` to who is seen as. Denies by default: what is not
    read, and how that person signs in, is refused before any page is asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        look = look_of(request)
        request.look = look  # type: ignore[attr-defined]
        if look is None:
            return self.get_response(request)
        if look.is_over(database_now()):
            return _over(request, look)
        if request.path in _ways_out():
            return self.get_response(request)
        if request.method not in READING or request.path.startswith("/sign-in/"):
            return _refused(request)
        request.user = look.member.user
        token = origin.set(replace(origin.get(), person=look.viewer))
        try:
            return self.get_response(request)
        finally:
            origin.reset(token)


def person_behind(request: HttpRequest) -> Any:
    """Who has signed in, whoever they are seen as."""
    look: Look | None = getattr(request, "look", None)
    return look.viewer if look else request.user


def _ways_out() -> set[str]:
    return {reverse("view-as-leave"), reverse("sign_out"), reverse("account_logout")}


def _over(request: HttpRequest, look: Look) -> HttpResponse:
    """What was asked for was asked as another: it is not carried out in one's own name."""
    end(request, look, by_itself=True)
    words = _("You see the pages as yourself again: the view as somebody else has ended.")
    if request.path.startswith("/api/"):
        return _problem(words)
    messages.info(request, words)
    return redirect("admin:index")


def _refused(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return _problem(_("Nothing can be changed while you see the pages as somebody else."))
    return render(request, "view_as/refused.html", status=403)


def _problem(words: str) -> JsonResponse:
    return JsonResponse(problem(403, words), status=403, content_type=MEDIA_TYPE)
