"""What is done for every request: odd ones refused, and noted where an act comes from."""

import re
from collections.abc import Callable
from secrets import token_hex
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

from config.lines import request_id
from logs.history import Origin, origin

REQUEST_ID = "X-Request-ID"
PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def address_of(request: HttpRequest) -> str:
    """The caller's address: beyond our own proxies, of which TEIJI_PROXIES says how many. What
    stands further left in the header, the caller may have written."""
    direct = str(request.META.get("REMOTE_ADDR", ""))
    passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    hops = settings.TEIJI_PROXIES
    found = passed[-hops] if 0 < hops <= len(passed) else direct
    return found[:45] or direct


class RequestIdMiddleware:
    """Names each request in its answer and in all that is logged meanwhile. Whoever calls may give
    the name, and follow it by that; what could be more than a name is not taken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_ID, "")
        name = given if ID.fullmatch(given) else token_hex(8)
        token = request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response[REQUEST_ID] = name
        response["Permissions-Policy"] = PERMISSIONS  # of what a page of ours never needs
        return response


class RefuseNulMiddleware:
    """Answers 400 to a page's query with a NUL in it: no text of ours has one, and PostgreSQL
    refuses to compare with it. The API's own fields refuse it, and name the one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = unquote(request.META.get("QUERY_STRING", ""))
        if "\x00" in query and not request.path.startswith("/api/"):
            return HttpResponseBadRequest()
        return self.get_response(request)


class OriginMiddleware:
    """Sets logs.history.origin for the length of one request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        via = "api" if request.path.startswith("/api/") else "admin"
        source = Origin(via=via, address=address_of(request), request=request_id.get())
        token = origin.set(source)
        try:
            return self.get_response(request)
        finally:
            origin.reset(token)
