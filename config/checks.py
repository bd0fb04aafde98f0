"""System checks of our own settings: each says what to do."""

import ipaddress
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from channels.apprise.allowed import NotAllowed, read
from channels.http import HOST_SETTINGS

LONGEST_ANSWER = 15.0  # seconds that an adapter waits for its channel at most
ANEW = "Make it anew: createdb --template template0 --encoding UTF8 NAME."


@register(Tags.admin)
def pages_are_loaded(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Load the admin's pages, which Django checks next; settings do not load them."""
    import_module("config.urls")
    return []


@register(Tags.security)
def secret_keys(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """TEIJI_SECRET_KEYS must open what it has sealed."""
    for key in settings.TEIJI_SECRET_KEYS:
        try:
            Fernet(key)
        except ValueError:
            return [
                Error(
                    "A key in TEIJI_SECRET_KEYS is not a Fernet key.",
                    hint="Make one with: python -c 'from cryptography.fernet import Fernet; "
                    "print(Fernet.generate_key().decode())'",
                    id="teiji.E001",
                )
            ]
    if not settings.TEIJI_SECRET_KEYS:
        return [Error("TEIJI_SECRET_KEYS is empty.", hint="Set one key.", id="teiji.E002")]
    return []


@register()
def sending(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """The seconds of the dispatcher must fit each other."""
    found: list[CheckMessage] = []
    if settings.TEIJI_WIRE_SECONDS <= LONGEST_ANSWER:
        found.append(
            Error(
                "TEIJI_WIRE_SECONDS is shorter than a channel may take to answer.",
                hint=f"Set it above {LONGEST_ANSWER:.0f}: else a message under way counts as lost.",
                id="teiji.E003",
            )
        )
    if settings.TEIJI_LEAD_SECONDS < 2 * settings.TEIJI_POLL_SECONDS:
        found.append(
            Warning(
                "TEIJI_LEAD_SECONDS is less than two polls: messages may leave late.",
                hint="Set it to at least twice TEIJI_POLL_SECONDS.",
                id="teiji.W001",
            )
        )
    if settings.TEIJI_HORIZON_SECONDS <= settings.TEIJI_LEAD_SECONDS:
        found.append(
            Error(
                "TEIJI_HORIZON_SECONDS is not longer than TEIJI_LEAD_SECONDS.",
                hint="What is not planned cannot be claimed ahead: set it to 10 or so.",
                id="teiji.E004",
            )
        )
    if not settings.TEIJI_RETRY_DELAYS or min(settings.TEIJI_RETRY_DELAYS) < 1:
        found.append(
            Error(
                "TEIJI_RETRY_DELAYS must hold seconds of at least 1.",
                hint="For example: 60,120,300,600",
                id="teiji.E005",
            )
        )
    return found


@register(Tags.security)
def addresses(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Where we are found, and where we may go."""
    found: list[CheckMessage] = []
    for name in ("TEIJI_PUBLIC_URL", *HOST_SETTINGS.values()):
        parts = urlsplit(getattr(settings, name))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            found.append(
                Error(f"{name} is not a URL.", hint="Like https://example.com", id="teiji.E006")
            )
    for network in settings.TEIJI_OUTGOING_ALLOW:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            found.append(
                Error(
                    f"“{network}” in TEIJI_OUTGOING_ALLOW is not a network.",
                    hint="Like 10.1.2.0/24",
                    id="teiji.E007",
                )
            )
    return found


@register()
def places_of_the_operators(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Else it is first seen when there is trouble, by nobody. The URLs are secret: by number."""
    found: list[CheckMessage] = []
    for number, url in enumerate(settings.TEIJI_ALERT_URLS, 1):
        try:
            read(url)
        except NotAllowed as error:
            found.append(
                Warning(
                    f"Nobody is told by number {number} of TEIJI_ALERT_URLS. {error}",
                    hint="docs/channels/apprise.md has the URLs that are taken; a comma parts two.",
                    id="teiji.W006",
                )
            )
    return found


@register(Tags.translation)
def catalogues(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Pages speak a language only where its catalogue is compiled."""
    texts = [path for folder in settings.LOCALE_PATHS for path in Path(folder).glob("*/*/*.po")]
    if all(path.with_suffix(".mo").exists() for path in texts):
        return []
    return [
        Warning(
            "A catalogue in locale/ is not compiled: its language comes out in English.",
            hint="python scripts/translations.py compile",
            id="teiji.W005",
        )
    ]


@register(Tags.database)
def encodings(app_configs: Any, databases: Iterable[str] | None = None, **_: Any) -> list[Any]:
    """Asked by migrate: a server set up without a locale makes databases that take no Korean."""
    kept = {alias: encoding_of(connections[alias]) for alias in databases or ()}
    return [
        Error(
            f"The database {alias} is encoded in {kept[alias]}: it cannot keep every language.",
            hint=ANEW,
            id="teiji.E008",
        )
        for alias in kept
        if kept[alias] != "UTF8"
    ]


def encoding_of(connection: BaseDatabaseWrapper) -> str:
    """As PostgreSQL calls it. SQLite keeps all text in Unicode."""
    if connection.vendor != "postgresql":
        return "UTF8"
    connection.ensure_connection()
    return str(connection.connection.info.parameter_status("server_encoding"))


@register(Tags.security, deploy=True)
def production(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """What is good enough for trying it out but not for production."""
    found: list[CheckMessage] = []
    if not settings.TEIJI_PUBLIC_URL.startswith("https://"):
        found.append(
            Warning(
                "TEIJI_PUBLIC_URL is not https: LINE will not fetch images from it.",
                hint="Set it to the public address of this installation.",
                id="teiji.W002",
            )
        )
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            Warning(
                "The database is SQLite: good for trying, not for several machines.",
                hint="Set TEIJI_DATABASE_URL=postgres://…",
                id="teiji.W003",
            )
        )
    if settings.TEIJI_BROKER_URL.startswith("filesystem"):
        found.append(
            Warning(
                "The broker is a folder: it serves one machine.",
                hint="Set TEIJI_BROKER_URL=redis://…",
                id="teiji.W004",
            )
        )
    return found
