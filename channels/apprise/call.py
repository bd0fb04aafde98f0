"""One call of Apprise: blocking, through a passage, and silent about what is secret."""

import logging
import re
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from channels.apprise.allowed import Fields
from channels.apprise.passage import Passage, through

logger = logging.getLogger(__name__)

# So the services log the status of a refusal: Lark in its own way, ntfy with two digits more.
STATUS = re.compile(r"(?:error=|Lark notification failed: )([1-5]\d\d)(?:\d\d)?\b")
NOISY = ("urllib3", "requests_oauthlib", "oauthlib")  # they log paths, which hold secrets

_heard = threading.local()


@dataclass(frozen=True)
class Answer:
    """What Apprise said; with the HTTP status that a service gave where it did not accept."""

    is_accepted: bool
    status: int | None = None


@cache
def load() -> ModuleType:
    """Apprise, which takes a second to import, with its mouth shut."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of its own imports is not ours to mend
        apprise = import_module("apprise")
        import_module("apprise.plugins").N_MGR.schemas()  # loads the services
    told = logging.getLogger("apprise")
    told.handlers = [_Statuses()]
    told.propagate = False
    told.setLevel(logging.WARNING)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return apprise


def make(fields: Fields, *, seconds: float = 10.0) -> Any | None:
    """Apprise's object for these fields; None where it does not take them. Asks nobody."""
    apprise = load()
    asset = apprise.AppriseAsset(
        app_id="Teiji",
        app_desc="Teiji",
        app_url="",
        http_redirects=False,
        pem_autogen=False,
        pgp_autogen=False,
        storage_mode="memory",
    )
    patience = {"cto": seconds / 2, "rto": seconds / 2}
    plugin = apprise.Apprise.instantiate({**fields, **patience}, asset=asset)
    is_as_meant = (
        plugin is not None
        and len(plugin) == 1
        and plugin.verify_certificate
        and not plugin.redirects
    )
    return plugin if is_as_meant else None


def call(
    fields: Fields, *, title: str, body: str, passage: Passage, seconds: float = 10.0
) -> Answer:
    """Send once, in this thread, and say what Apprise said. Raises nothing."""
    _heard.status = None
    with through(passage):
        try:
            is_accepted = _notify(make(fields, seconds=seconds), title, body, passage)
        except PermissionError:  # the passage's own
            is_accepted = False
        except Exception as error:  # Apprise's own fault; its words may repeat the secret
            logger.warning("apprise: %s failed: %s", fields["schema"], type(error).__name__)
            is_accepted = False
    return Answer(is_accepted, None if is_accepted else _heard.status)


def _notify(plugin: Any | None, title: str, body: str, passage: Passage) -> bool:
    if plugin is None:
        return False
    plugin.throttle = passage.throttle
    formats = load().NotifyFormat
    # What knows Markdown only would get its signs escaped, and links broken by that.
    is_plain = plugin.resolve_format(formats.TEXT) != formats.MARKDOWN
    return bool(
        plugin.notify(body=body, title=title, body_format=formats.TEXT if is_plain else None)
    )


class _Statuses(logging.Handler):
    """Where all that Apprise logs ends: of it only the status is kept."""

    def emit(self, record: logging.LogRecord) -> None:
        found = STATUS.search(record.getMessage())
        if found:
            _heard.status = int(found[1])
