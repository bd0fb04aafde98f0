"""Accounts: the channel is chosen first, then its own settings are asked for."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels.actions.account import add_account, change_account
from channels.adapters import registry
from channels.adapters.base import Adapter
from channels.admin import account_check, phone_script
from channels.admin.account_form import (
    AccountForm,
    find_url_problems,
    form_for,
    setting_names,
)
from channels.models import Account
from channels.promises import Promise, promise_of
from channels.templatetags.teiji_accounts import going_badge
from channels.templatetags.teiji_promises import badge, in_words, promise_badge
from config.scoped.admin import ScopedAdmin
from orgs.reach import Act


@admin.register(Account)
class AccountAdmin(ScopedAdmin):
    when_empty = _(
        "An account is what a channel gave you to send with. Rooms and people are reached "
        "through one, so it comes first."
    )
    list_display = ["name", "channel", "unit", "promise", "going", "is_shared", "is_active"]
    list_filter = ["is_active", "is_shared", "unit"]
    list_select_related = ["unit"]
    search_fields = ["name", "unit__name"]
    autocomplete_fields = ["unit"]
    ordering = ["name", "id"]
    records_itself = True
    change_form_outer_before_template = "channels/account_above.html"

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    @admin.display(description=_("channel"), ordering="kind")
    def channel(self, account: Account) -> Any:
        adapter_class = registry().get(account.kind)
        return adapter_class.label if adapter_class else account.kind

    @admin.display(description=_("promise"))
    def promise(self, account: Account) -> SafeString:
        return promise_badge(account)

    @admin.display(description=_("promise"))
    def promised(self, account: Account) -> SafeString:
        return in_words(account)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        adapter_class = chosen_channel(request, obj) or _NoChannel
        facts = ["channel", "promised"] if obj else ["channel"]
        if obj and adapter_class.hears:
            facts.append("inbound_address")
        if obj and adapter_class.pulls:
            facts.append("phone_address")
        names = setting_names(adapter_class, obj if obj and adapter_class.kind else None)
        sections: list[tuple[Any, dict[str, Any]]] = [
            (
                None,
                {
                    "fields": [
                        *facts,
                        "unit",
                        "name",
                        "is_shared",
                        "requests_per_second",
                        "is_active",
                    ]
                },
            ),
        ]
        if names:
            sections.append((_("Settings of the channel"), {"fields": names}))
        is_asked = obj.promise != Promise.ONCE if obj else adapter_class.takes_key is not True
        if is_asked:
            policy = {"fields": ["on_unknown"], "description": POLICY}
            sections.append((_("When an answer is lost"), policy))
        return sections

    @admin.display(description=_("state"), ordering="stopped_at")
    def going(self, account: Account) -> SafeString:
        return going_badge(account)

    def get_urls(self) -> list[URLPattern]:
        return [*account_check.urls(self), *super().get_urls()]

    @admin.display(description=_("address for the channel’s webhook"))
    def inbound_address(self, account: Account) -> str:
        """Where the channel is told to call us, so that rooms and people appear by themselves."""
        return f"{settings.TEIJI_PUBLIC_URL}{reverse('hear', args=[account.hook])}"

    @admin.display(description=_("address for the phone"))
    def phone_address(self, account: Account) -> str:
        """Where the phone fetches its messages: the script needs it."""
        return phone_script.address_of(account)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["channel", "promised", "inbound_address", "phone_address"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        adapter_class = chosen_channel(request, obj) or _NoChannel
        kw["form"] = form_for(adapter_class)
        kw["fields"] = [n for n in AccountForm.Meta.fields if n in self._shown(request, obj)]
        built: Any = super().get_form(request, obj, change, **kw)
        built.url_problems = getattr(request, "url_problems", {})
        return built

    def _shown(self, request: HttpRequest, obj: Any) -> list[str]:
        return [name for _title, how in self.get_fieldsets(request, obj) for name in how["fields"]]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if chosen_channel(request, None) is None and self.has_add_permission(request):
            return self._ask_for_channel(request)
        return super().add_view(request, form_url, extra_context)

    def _ask_for_channel(self, request: HttpRequest) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Which channel?"),
            "opts": self.opts,
            "media": self.media,
            "channels": [
                {
                    "kind": kind,
                    "label": found.label,
                    "help": found.address_help,
                    "promise": badge(promise_of(kind, {}, resends=False)),
                }
                for kind, found in sorted(registry().items())
            ],
        }
        return TemplateResponse(request, "channels/choose_channel.html", context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        if request.method == "POST":
            account = self.get_object(request, object_id) if object_id else None
            adapter_class = chosen_channel(request, account)
            act = Act.CHANGE if account else Act.CREATE
            if adapter_class and self._allows(request, act, account):
                # Here, because the base opens a transaction and these questions go to the DNS.
                request.url_problems = find_url_problems(adapter_class, request.POST)  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values, given = form.cleaned_data, form.given(form.cleaned_data)
        if change:
            saved = change_account(obj, values, given, by=request.user)
        else:
            saved = add_account(values, given, by=request.user, kind=obj.kind)
        if saved.went_on:
            messages.success(request, _("The account sends again."))
        if saved.goes_on:
            messages.info(request, _("It sends again as soon as its channel accepts it."))
        vars(obj).update(vars(saved.account), made=saved.made, is_asked=saved.is_asked)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        answer = super().response_add(request, obj, post_url_continue)
        return self._made_page(request, obj) or self._check_page(request, obj) or answer

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        answer = super().response_change(request, obj)
        return self._made_page(request, obj) or self._check_page(request, obj) or answer

    def _check_page(self, request: HttpRequest, account: Account) -> HttpResponse | None:
        """Whoever saves it sees at once what its channel says."""
        if not getattr(account, "is_asked", False) or "_addanother" in request.POST:
            return None
        return redirect(account_check.page_of(account))

    def _made_page(self, request: HttpRequest, account: Account) -> HttpResponse | None:
        """What was made, in the answer itself: after a redirect it would have to be kept."""
        made: dict[str, str] = getattr(account, "made", {})
        if not made:
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("The script for the phone"),
            "opts": self.opts,
            "account": account,
            "script": phone_script.filled_in(account, made["token"]),
        }
        return TemplateResponse(request, "channels/phone_script.html", context)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        may = super().has_change_permission(request, obj)
        # Without its adapter nobody can say which of its settings are secrets.
        return may and not (isinstance(obj, Account) and obj.kind not in registry())


POLICY = _(
    "“Ask me”: the message waits under “Not confirmed” until a person says whether it arrived. "
    "“Send again”: it is repeated by itself, and whoever did get it gets it twice."
)


def chosen_channel(request: HttpRequest, account: Account | None) -> type[Adapter] | None:
    """The account's channel, or for a new one that which `?channel=` names."""
    kind = account.kind if account else request.GET.get("channel", "")
    return registry().get(kind)


class _NoChannel(Adapter):
    """Stands for a channel that is not installed any more: no settings are shown."""

    kind = ""
    label = ""
