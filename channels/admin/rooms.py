"""Rooms, and for those of the sandbox the way to their chat."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels import pages
from channels.adapters import registry
from channels.admin.account_choice import KeepsAccount
from channels.models import Account, Room
from channels.templatetags.teiji_promises import in_words
from config.scoped.widgets import QUIET_HOURS
from orgs.reach import Act, within

LIMITS = ["min_interval_seconds", "daily_cap", "quiet_from", "quiet_until", "never_quiet"]


class RoomForm(forms.ModelForm):
    """A room stands at or below the unit of its account."""

    class Meta:
        model = Room
        fields = [
            "unit",
            "account",
            "name",
            "address",
            "kind",
            "language",
            "is_active",
            *LIMITS,
        ]
        widgets = QUIET_HOURS

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        unit, account = cleaned.get("unit"), cleaned.get("account")
        if unit and account and not account.unit.covers(unit):
            self.add_error("account", _("This account cannot be used for that unit."))
        return cleaned


@admin.register(Room)
class RoomAdmin(KeepsAccount):
    when_empty = _(
        "A room is one place to send to: a group, a person, a page. Whoever adds it needs "
        "the id that its channel gave it."
    )
    change_form_outer_before_template = "organisation/why_above.html"
    form = RoomForm
    list_display = ["name", "unit", "account", "kind", "is_active", "chat"]
    list_filter = ["kind", "is_active", "unit", "account"]
    list_select_related = ["unit", "account"]
    search_fields = ["name", "address", "unit__name"]
    autocomplete_fields = ["unit"]
    ordering = ["name", "id"]
    readonly_fields = ["promise", "chat"]

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    @admin.display(description=_("promise"))
    def promise(self, room: Room) -> SafeString:
        """Of its account: it is read where the room is looked at."""
        return in_words(room.account)

    def get_fieldsets(self, request: HttpRequest, obj: Room | None = None) -> Any:
        shown = ["unit", "account", "name", "address", "kind", "language", "is_active"]
        limits = [
            ("min_interval_seconds", "daily_cap"),
            ("quiet_from", "quiet_until"),
            "never_quiet",
        ]
        words = _("What is more waits for its turn, or is left out and says so.")
        kept = _("A room is never deleted, since the log names it: make it inactive.")
        own = {"fields": [*shown, "promise", "chat"], "description": kept}
        return [
            (None, own if obj else {"fields": shown}),
            (_("Limits"), {"fields": limits, "description": words}),
        ]

    @admin.display(description=_("chat"))
    def chat(self, room: Room) -> SafeString | str:
        if not room.pk or room.account.kind != pages.SANDBOX:
            return "–"
        address = reverse("admin:channels_room_chat", args=[room.pk])
        return format_html('<a class="teiji-link" href="{}">{}</a>', address, _("Open chat"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the log would lose it

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/chat/", wrap(pages.chat), name="channels_room_chat"),
            path("<int:pk>/chat/messages/", wrap(pages.messages), name="channels_room_messages"),
        ]
        return [*own, *super().get_urls()]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kw)
        if "address" in form.base_fields:
            form.base_fields["address"].help_text = _address_help(request)
        return form


def _address_help(request: HttpRequest) -> SafeString:
    """What an address looks like at each channel of which this person may use an account."""
    accounts = within(request.user, Account.objects.filter(is_active=True), Act.USE)
    kinds = accounts.order_by("kind").values_list("kind", flat=True).distinct()
    adapters = [registry()[kind] for kind in kinds if kind in registry()]
    lines = ((adapter.label, adapter.address_help) for adapter in adapters)
    return format_html_join(" ", "<b>{}</b>: {}<br>", lines)
