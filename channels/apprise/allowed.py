"""Which Apprise URLs are allowed: each service's own shape, and nothing else.

Apprise's own reading of URLs is never used. What a shape names becomes an argument of the
service's class; what it does not name (templates and keys from files, certificates that are
not checked, redirects, includes) cannot be said. Each URL leads to one place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from django.utils.translation import gettext_lazy as _

LONGEST_URL = 2000
WORD = r"[A-Za-z0-9_-]+"
NAME = r"[A-Za-z0-9.-]+"  # of a host
EMAIL = r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
KEY = r"[A-Za-z0-9._-]+"
TEAMS_HOST = r"[a-z0-9.-]+\.(?:logic\.azure\.com|api\.powerplatform\.com)"
MAIL_LENGTH = 20_000

QUOTED = ("user", "password", "host")  # these Apprise unquotes by itself

Fields = dict[str, Any]


class NotAllowed(ValueError):  # noqa: N818  (as UnsafeUrl)
    """A URL that Apprise is not given. `message` is translatable and repeats nothing of it."""

    def __init__(self, message: Any) -> None:
        super().__init__("")
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True)
class Service:
    """A service of Apprise's. The groups of `shape`, which is what follows ://, and of
    `options` are arguments of its class, as is what is `fixed`."""

    shape: str
    text_length: int
    options: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    has_subject: bool = False


def read(url: str) -> tuple[Service, Fields]:
    """The service that a URL names, and the arguments of Apprise's class for it, its schema
    included. Raises NotAllowed."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SERVICES:
        raise NotAllowed(_("This is not the URL of a service that can be used here."))
    if len(url) > LONGEST_URL or not unquote(url).isprintable():
        raise NotAllowed(NOT_ITS_SHAPE)
    service = SERVICES[scheme]
    place, _mark, query = rest.partition("?")
    found = _groups(rf"{service.shape}/?", place) | _options(service, query)
    if "targets" in found:
        found["targets"] = [found["targets"]]
    return service, {"schema": scheme, **found, **service.fixed}


def _options(service: Service, query: str) -> Fields:
    found: Fields = {}
    for option in query.split("&") if query else []:
        name, _equals, value = option.partition("=")
        if name not in service.options:
            raise NotAllowed(_("The URL has an option that is not allowed here."))
        found |= _groups(service.options[name], unquote(value))
    return found


def _groups(shape: str, text: str) -> Fields:
    match = re.fullmatch(shape, text)
    if match is None:
        raise NotAllowed(NOT_ITS_SHAPE)
    found = {name: value for name, value in match.groupdict().items() if value}
    return {n: v if n in QUOTED else unquote(v) for n, v in found.items()}


NOT_ITS_SHAPE = _("This is not how this service’s URL is written, or it names several places.")

# A mail server is a host of the tenant's choice: where it leads is checked at each connection.
_MAIL = Service(
    rf"(?P<user>[^:/@]+):(?P<password>[^:/@]+)@(?P<host>{NAME})"
    rf"(?::(?P<port>25|465|587|2525))?(?:/(?P<targets>{EMAIL}))?",
    MAIL_LENGTH,
    options={
        "to": rf"(?P<targets>{EMAIL})",
        "from": rf"(?P<from_addr>{EMAIL})",
        "smtp": rf"(?P<smtp_host>{NAME})",
        "mode": r"(?P<secure_mode>ssl|starttls)",
    },
    fixed={"schema": "mailtos", "secure": True},  # also for mailto: never without TLS
    has_subject=True,
)
_MAIL_BY_KEY = rf"(?P<apikey>{KEY}):(?P<from_email>{EMAIL})/(?P<targets>{EMAIL})"
_MAIL_BY_DOMAIN = (
    rf"(?P<user>[A-Za-z0-9._-]+)@(?P<host>{NAME})/(?P<apikey>{KEY})/(?P<targets>{EMAIL})"
)

# By scheme. Each host but that of mail is written down in Apprise, or in the shape.
SERVICES: dict[str, Service] = {
    "brevo": Service(_MAIL_BY_KEY, MAIL_LENGTH, has_subject=True),
    "dingtalk": Service(r"(?:(?P<secret>[A-Za-z0-9]+)@)?(?P<token>[A-Za-z0-9]+)", 5000),
    "discord": Service(
        rf"(?:(?P<user>{WORD})@)?(?P<webhook_id>[0-9]+)/(?P<webhook_token>{WORD})",
        1900,  # of 2,000: what is special to it is escaped
        fixed={"avatar": False},
    ),
    "feishu": Service(rf"(?P<token>{WORD})", 5000),
    "gchat": Service(
        rf"(?P<workspace>{WORD})/(?P<webhook_key>{WORD})/(?P<webhook_token>(?:[A-Za-z0-9_=-]|%3D)+)",
        3500,
    ),
    "lark": Service(r"(?P<token>[A-Za-z0-9-]+)", 5000),
    "mailgun": Service(
        _MAIL_BY_DOMAIN,
        MAIL_LENGTH,
        options={"region": r"(?P<region_name>us|eu)"},
        has_subject=True,
    ),
    "mailto": _MAIL,
    "mailtos": _MAIL,
    "ntfy": Service(
        r"(?P<targets>[A-Za-z0-9_-]{1,64})", 3500, fixed={"mode": "cloud", "include_image": False}
    ),
    "pbul": Service(r"(?P<accesstoken>[A-Za-z0-9.]+)", 5000),
    "postmark": Service(_MAIL_BY_KEY, MAIL_LENGTH, has_subject=True),
    "pover": Service(r"(?P<user_key>[A-Za-z0-9]+)@(?P<token>[A-Za-z0-9]+)", 1000),
    "resend": Service(
        _MAIL_BY_KEY.replace("from_email", "from_addr"), MAIL_LENGTH, has_subject=True
    ),
    "sendgrid": Service(_MAIL_BY_KEY, MAIL_LENGTH, has_subject=True),
    "slack": Service(
        r"(?:(?P<token_a>[A-Z0-9]+)/(?P<token_b>[A-Z0-9]+)/(?P<token_c>[A-Za-z0-9]+)"
        r"|(?P<access_token>xox[abp]-[A-Za-z0-9-]+)/(?P<targets>#[a-z0-9_-]+|[CGD][A-Z0-9]+))",
        10_000,
        fixed={"include_image": False, "include_footer": False},
    ),
    "smtp2go": Service(_MAIL_BY_DOMAIN, MAIL_LENGTH, has_subject=True),
    "tgram": Service(
        r"(?P<bot_token>[0-9]+:[A-Za-z0-9_-]+)/(?P<targets>-?[0-9]{1,32}|@[A-Za-z0-9_]+)",
        3500,
        fixed={"detect_owner": False},
    ),
    "wecombot": Service(rf"(?P<key>{WORD})", 600),  # of 2,048 bytes
    "workflows": Service(
        rf"(?P<host>{TEAMS_HOST})(?::443)?/(?P<workflow>{WORD})/(?P<signature>{WORD})",
        900,
        options={"pa": r"(?P<power_automate>yes)", "route": r"(?P<routing_id>[0-9]+)"},
        fixed={"include_image": False},
    ),
    "wxteams": Service(r"(?P<token>[a-z0-9]{80,160})", 900),
}
