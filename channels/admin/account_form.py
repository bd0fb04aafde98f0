"""The form of an account, made from its adapter's Config: a new channel edits nothing here."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from channels.actions.account import COLUMNS, refuse_to_leave
from channels.actions.settings import Given, Problems, problems_of, settle, url_problems
from channels.adapters.base import Adapter
from channels.models import Account
from orgs.refusal import Refused

SETTING = "setting_"  # before the names of an adapter's settings in the form
CLEAR = "clear_"


class AccountForm(forms.ModelForm):
    """Settings that may be read, secrets that may only be written."""

    adapter_class: type[Adapter]
    url_problems: Problems = {}

    class Meta:
        model = Account
        fields = COLUMNS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = self.adapter_class.kind or self.instance.kind
        self.hints: dict[str, str] = {}
        if self.instance.pk and self.adapter_class.kind:
            self.hints = self.instance.secret_hints()
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
        stored = self.instance.secrets if self.hints else {}
        settled = settle(self.adapter_class, self.given(cleaned), {}, stored)
        found = problems_of(self.adapter_class, settled)
        for name, message in {**found, **self.url_problems}.items():
            self.add_error(SETTING + name, message)
        return cleaned

    def given(self, cleaned: dict[str, Any]) -> Given:
        """What the form says of the settings: of those that may be read, all."""
        config_class = self.adapter_class.config_class
        made = {f.name for f in dataclasses.fields(config_class) if f.metadata["made"]}
        names = {f.name for f in dataclasses.fields(config_class)} - made
        return Given(
            {name: cleaned.get(SETTING + name) or "" for name in names},
            cleared={name for name in names if cleaned.get(CLEAR + name)},
            renewed={name for name in made if cleaned.get(SETTING + name)},
        )

    def clean_unit(self) -> Any:
        unit = self.cleaned_data["unit"]
        if self.instance.pk:
            try:
                refuse_to_leave(self.instance, unit)
            except Refused as refusal:
                raise ValidationError(refusal.problems["unit"]) from refusal
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
    names = [setting.name for setting in dataclasses.fields(adapter_class.config_class)]
    return url_problems(adapter_class, {name: posted.get(SETTING + name, "") for name in names})


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
