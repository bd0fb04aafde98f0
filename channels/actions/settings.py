"""The settings of an account: how what a person gives becomes what is stored."""

import dataclasses
import secrets
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import override

from channels.adapters.base import Adapter
from channels.outgoing import UnsafeUrl, check_url, networks

MADE = "mb_"  # before a secret that we make

Problems = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Given:
    """What a person says of the settings. One that is not named stays as it is, and so does a
    secret that is named but empty."""

    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cleared: Collection[str] = ()  # secrets that are to go
    renewed: Collection[str] = ()  # secrets of ours that are to be made anew

    def __bool__(self) -> bool:
        """Whether anything is said of them."""
        return bool(self.values or self.cleared or self.renewed)


@dataclasses.dataclass
class Settled:
    """What would be stored, apart by who may read it. `made` is shown once."""

    config: dict[str, str] = dataclasses.field(default_factory=dict)
    secrets: dict[str, str] = dataclasses.field(default_factory=dict)
    made: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        return {**self.config, **self.secrets}


def settle(
    adapter_class: type[Adapter],
    given: Given,
    config: Mapping[str, str],
    sealed: Mapping[str, str],
) -> Settled:
    """The settings from what is stored (`config`, and opened secrets) and what is given."""
    found = Settled()
    for setting in dataclasses.fields(adapter_class.config_class):
        name, facts = setting.name, setting.metadata
        said = given.values.get(name, "").strip()
        if facts["made"]:
            if not sealed.get(name) or name in given.renewed:
                found.made[name] = MADE + secrets.token_urlsafe(32)
            said = found.made.get(name) or sealed[name]
        elif facts["secret"] and not said and name not in given.cleared:
            said = sealed.get(name, "")
        elif not facts["secret"] and name not in given.values:
            said = config.get(name, str(setting.default))
        if not facts["secret"]:
            found.config[name] = said
        elif said:
            found.secrets[name] = said
    return found


def problems_of(adapter_class: type[Adapter], settled: Settled) -> Problems:
    """What the channel finds wrong with these settings, by name."""
    return adapter_class.config_class.load(settled.values).problems()


def url_problems(adapter_class: type[Adapter], values: Mapping[str, Any]) -> Problems:
    """What is wrong with the URLs among these. Asks the DNS: never within a transaction."""
    found: Problems = {}
    allowed = networks(settings.TEIJI_OUTGOING_ALLOW)
    for setting in dataclasses.fields(adapter_class.config_class):
        url = values.get(setting.name, "")
        if setting.metadata["url"] and isinstance(url, str) and url.strip():
            try:
                check_url(url.strip(), allowed)
            except UnsafeUrl as error:
                found[setting.name] = str(error)
    return found


def by_place(adapter_class: type[Adapter], found: Problems) -> dict[str, list[str]]:
    """Problems by name as those of an account, where settings and secrets stand apart."""
    secret = secret_names(adapter_class)
    return {
        f"{'secrets' if name in secret else 'settings'}.{name}": [str(message)]
        for name, message in found.items()
    }


def secret_names(adapter_class: type[Adapter]) -> set[str]:
    """The settings that are secrets."""
    return {f.name for f in dataclasses.fields(adapter_class.config_class) if f.metadata["secret"]}


def changed_titles(
    adapter_class: type[Adapter], before: Mapping[str, str], after: Mapping[str, str]
) -> list[str]:
    """What the settings are called that are not the same: the history keeps none of what they
    hold, for it is read in every language and by more people."""
    fields: Any = dataclasses.fields(adapter_class.config_class)
    with override(None):
        return [
            str(setting.metadata["title"])
            for setting in fields
            if before.get(setting.name, setting.default) != after.get(setting.name, "")
        ]
