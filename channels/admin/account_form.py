"""The form of an account, made from its adapter's Config: a new channel edits nothing here."""

import dataclasses
import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from channels.adapters.base import Adapter
from channels.models import Account
from channels.outgoing import UnsafeUrl, check_url, networks
from orgs.reach import under

SETTING = "setting_"  # before the names of an adapter's settings in the form
CLEAR = "clear_"
MADE = "mb_"  # before a secret that we make

Problems = dict[str, Any]


class AccountForm(forms.ModelForm):
    """Settings that may be read, secrets that may only be written."""

    adapter_class: type[Adapter]
    url_problems: Problems = {}

    class Meta:
        model = Account
        fields = ["unit", "name", "on_unknown", "is_shared", "requests_per_second", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = self.adapter_class.kind or self.instance.kind
        self.hints: dict[str, str] = {}
        if self.instance.pk and self.adapter_class.kind:
            self.hints = self.instance.secret_hints()
        self.made: dict[str, str] = {}  # secrets that this form makes, shown once
        for setting in dataclasses.fields(self.adapter_class.config_class):
            if setting.metadata["made"]:
                self._offer_new(setting.name)
            elif setting.metadata["secret"]:
                self._show_secret(setting.name)
            elif self.instance.pk:
                self.initial[SETTING + setting.name] = self.instance.config.get(
                    setting.name, setting.default
                )

    def _offer_new(self, name: str) -> None:
        """The first one is made in any case."""
        field = self.fields[SETTING + name]
        field.initial = field.disabled = name not in self.hints

    def _show_secret(self, name: str) -> None:
        widget = self.fields[SETTING + name].widget
        widget.attrs["placeholder"] = self.hints.get(name, "")
        if name not in self.hints:
            self.fields.pop(CLEAR + name, None)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.values = self._values(cleaned)
        found = self.adapter_class.config_class.load(self.values).problems()
        for name, message in {**found, **self.url_problems}.items():
            self.add_error(SETTING + name, message)
        return cleaned

    def _values(self, cleaned: dict[str, Any]) -> dict[str, str]:
        """What would be stored: an empty secret means the stored one."""
        stored = self.instance.secrets if self.hints else {}
        values = {}
        for setting in dataclasses.fields(self.adapter_class.config_class):
            if setting.metadata["made"]:
                values[setting.name] = self._make(setting.name, stored, cleaned)
                continue
            value = (cleaned.get(SETTING + setting.name) or "").strip()
            if setting.metadata["secret"] and not value and not cleaned.get(CLEAR + setting.name):
                value = stored.get(setting.name, "")
            values[setting.name] = value
        return values

    def _make(self, name: str, stored: dict[str, str], cleaned: dict[str, Any]) -> str:
        if stored.get(name) and not cleaned.get(SETTING + name):
            return stored[name]
        self.made[name] = MADE + secrets.token_urlsafe(32)
        return self.made[name]

    def apply(self, account: Account) -> None:
        """Put settings and secrets, apart, into the account."""
        secret = secret_names(self.adapter_class)
        account.config = {k: v for k, v in self.values.items() if k not in secret}
        account.secrets = {k: v for k, v in self.values.items() if k in secret and v}

    def clean_unit(self) -> Any:
        """Rooms stand at or below their account's unit: it cannot move away from them."""
        unit = self.cleaned_data["unit"]
        if self.instance.pk:
            rooms = self.instance.room_set.all()
            if under(unit, rooms).count() < rooms.count():
                raise ValidationError(_("Rooms that do not belong to this unit use the account."))
        return unit


def form_for(adapter_class: type[Adapter]) -> type[AccountForm]:
    """The form of an account at this channel."""
    fields: dict[str, Any] = {"adapter_class": adapter_class}
    for setting in dataclasses.fields(adapter_class.config_class):
        fields[SETTING + setting.name] = _form_field(setting)
        if setting.metadata["secret"] and not setting.metadata["made"]:
            fields[CLEAR + setting.name] = forms.BooleanField(
                label=_("Remove the stored value: %(title)s")
                % {"title": setting.metadata["title"]},
                required=False,
                widget=UnfoldBooleanWidget,
            )
    return type("AccountForm", (AccountForm,), fields)


def setting_names(adapter_class: type[Adapter], account: Account | None) -> list[str]:
    """The names of the form's fields for the adapter's settings, in their order."""
    stored = account.secret_hints() if account else {}
    names = []
    for setting in dataclasses.fields(adapter_class.config_class):
        names.append(SETTING + setting.name)
        if setting.name in stored and not setting.metadata["made"]:
            names.append(CLEAR + setting.name)
    return names


def find_url_problems(adapter_class: type[Adapter], posted: Mapping[str, Any]) -> Problems:
    """What is wrong with the URLs in a posted form. Asks the DNS: never within a transaction."""
    found: Problems = {}
    allowed = networks(settings.TEIJI_OUTGOING_ALLOW)
    for setting in dataclasses.fields(adapter_class.config_class):
        url = posted.get(SETTING + setting.name, "").strip()
        if setting.metadata["url"] and url:
            try:
                check_url(url, allowed)
            except UnsafeUrl as error:
                found[setting.name] = str(error)
    return found


def secret_names(adapter_class: type[Adapter]) -> set[str]:
    """The settings that are secrets."""
    return {f.name for f in dataclasses.fields(adapter_class.config_class) if f.metadata["secret"]}


def _form_field(setting: Any) -> forms.Field:
    facts = setting.metadata
    words = {"label": facts["title"], "help_text": facts["help_text"], "required": False}
    if facts["choices"]:
        return forms.ChoiceField(
            choices=facts["choices"],
            initial=setting.default,
            widget=UnfoldAdminSelectWidget,
            **{**words, "required": True},
        )
    if facts["made"]:
        words["label"] = _("%(title)s: make a new one") % {"title": facts["title"]}
        return forms.BooleanField(widget=UnfoldBooleanWidget, **words)
    if facts["secret"]:
        # The value is never put back into the page, not even after a mistake elsewhere.
        widget = UnfoldAdminPasswordWidget({"autocomplete": "new-password"})
        return forms.CharField(widget=widget, strip=False, **words)
    return forms.CharField(initial=setting.default, widget=UnfoldAdminTextInputWidget, **words)
