"""The language of the pages: what a person chose, kept with them and in a cookie."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views import i18n

from config.view_as.middleware import person_behind
from orgs.models import User


def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the posted language: in a cookie, and with the person who is signed in."""
    response = i18n.set_language(request)
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    return response


class OwnLanguageMiddleware:
    """Shows pages in the language that the person keeps; before anybody signed in, and to
    programs, LocaleMiddleware has answered: by the cookie, else by Accept-Language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        own = getattr(person_behind(request), "language", "")
        if own in dict(settings.LANGUAGES):
            translation.activate(own)
            request.LANGUAGE_CODE = own
        return self.get_response(request)
