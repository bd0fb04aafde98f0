"""Check now: a person asks whether a channel accepts an account; a worker asks the channel."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse

from channels.models import Account, AccountCheck
from channels.templatetags.teiji_accounts import check_context
from logs import history
from orgs.clock import database_now
from orgs.reach import Act, can


def urls(page: Any) -> list[URLPattern]:
    """Of the admin page of accounts."""

    def check(request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        account = page.get_object(request, str(pk))
        if account is None or not can(request.user, Act.CHANGE, account):
            raise Http404
        ask(account, by=request.user)
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


@transaction.atomic
def ask(account: Account, *, by: Any) -> None:
    """Have it checked, where its channel can be asked. Asked twice before a worker comes, it is
    one."""
    now = database_now()
    if account.adapter_class.can_be_checked() and AccountCheck.ask(account, now):
        history.record("checked", account, by=by, now=now, unit_path=account.unit.path)


def page_of(account: Account) -> str:
    return reverse("admin:channels_account_change", args=[account.pk]) + "#check"
