"""Who must have a second factor and has none is led to where they set one up, from everywhere."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from config.view_as.middleware import person_behind
from orgs.second_factor import lacks_second_factor

# What they need for that, and the way out. The API answers for itself: config.scoped.session.
OPEN = frozenset({
    "account_login", "account_logout", "account_reauthenticate", "mfa_index", "mfa_activate_totp",
    "mfa_add_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "set_language",
    "sign_out",
})  # fmt: skip


class SecondFactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        if request.path.startswith("/api/") or (match and match.url_name in OPEN):
            return None
        return redirect("mfa_index") if lacks_second_factor(person_behind(request)) else None
