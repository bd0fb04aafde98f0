"""What an account at Solapi is told: its key, its number, and for Alimtalk channel and template."""

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from channels.adapters.base import Config, option

SENDER = re.compile(r"[0-9]{8,12}")
API_KEY = re.compile(r"[A-Za-z0-9_-]+")
VARIABLE = re.compile(r"[^#{}.]+")  # Solapi takes no point in a variable's name


@dataclass(frozen=True)
class SolapiConfig(Config):
    """An account at Solapi. With a Kakao channel and a template it writes Alimtalk."""

    api_key: str = option(_("API key"), _("From “API key management” in the Solapi console."))
    api_secret: str = option(_("API secret"), _("From the same page."), secret=True)
    sender: str = option(
        _("Sender’s number"), _("A phone number that is registered at Solapi; digits only.")
    )
    pf_id: str = option(
        _("Kakao channel (pfId)"), _("For Alimtalk. Without it, messages go as SMS or LMS.")
    )
    template_id: str = option(_("Template ID"), _("The approved Alimtalk template."))
    template_variable: str = option(
        _("Template variable"),
        _("Its variable that takes the text. Empty: the text must be exactly the template’s."),
    )
    fallback: str = option(
        _("SMS where Kakao fails"),
        _("Yes: whom Kakao does not reach gets an SMS or LMS from Solapi."),
        default="no",
        choices=[("yes", _("yes")), ("no", _("no"))],
    )

    def problems(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if not API_KEY.fullmatch(self.api_key):
            found["api_key"] = _("Give the API key: letters and digits.")
        if not self.api_secret:
            found["api_secret"] = _("Give the API secret as well.")
        if not SENDER.fullmatch(self.sender):
            found["sender"] = _("A sender’s number has 8 to 12 digits, nothing else.")
        if bool(self.pf_id) != bool(self.template_id):
            found["template_id"] = _("Kakao channel and template go together: give both or none.")
        if self.template_variable and not VARIABLE.fullmatch(self.template_variable):
            found["template_variable"] = _("Give the variable’s bare name, without #{ }.")
        return found
