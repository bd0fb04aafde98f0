"""The pages of signing in that are not allauth's as they are."""

from typing import Any

from allauth.account.views import PasswordResetView, logout
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from channels.alerts.mailing import can_mail


class Forgotten(PasswordResetView):
    """A link by mail; where no mail can be sent, whom to ask."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not can_mail():
            return render(request, "account/no_mail.html")
        return super().dispatch(request, *args, **kwargs)


forgotten = Forgotten.as_view()


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Where the admin sends those whom it does not let in. Who is signed in and still may not
    enter is told so: leading them back would lead them here again, for ever."""
    there = request.GET.get("next", "")
    if not request.user.is_authenticated:
        place = redirect("account_login")
        return redirect(f"{place.url}?{urlencode({'next': there})}") if there else place
    if not admin.site.has_permission(request):
        return render(request, "account/not_staff.html", status=403)
    is_ours = url_has_allowed_host_and_scheme(there, {request.get_host()}, request.is_secure())
    return redirect(there if is_ours else "admin:index")


def sign_out(request: HttpRequest) -> HttpResponseBase:
    """Where the theme's own button leads."""
    return logout(request) if request.method == "POST" else redirect("account_logout")
