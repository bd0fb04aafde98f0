"""Check now: a person asks whether a channel accepts an account; a worker asks the channel."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse

from channels.actions.account import check_account
from channels.models import Account
from channels.templatetags.teiji_accounts import check_context
from orgs.clock import database_now
from orgs.refusal import OutOfReach, Refused


def urls(page: Any) -> list[URLPattern]:
    """Of the admin page of accounts."""

    def check(request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        account = page.get_object(request, str(pk))
        if account is None:
            raise Http404
        try:
            check_account(account, by=request.user)
        except OutOfReach as refusal:
            raise Http404 from refusal
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect(page_of(account))

    def state(request: HttpRequest, pk: int) -> HttpResponse:
        account = page.get_object(request, str(pk))
        if request.method != "GET" or account is None:
            raise Http404
        context = check_context(account, request.user, database_now())
        return render(request, "channels/account_check.html", context)

    of_site = page.admin_site.admin_view
    return [
        path("<int:pk>/check/", of_site(check), name="account-check"),
        path("<int:pk>/check/state/", of_site(state), name="account-check-state"),
    ]


def page_of(account: Account) -> str:
    return reverse("admin:channels_account_change", args=[account.pk]) + "#check"
