"""The script for a phone that fetches its messages, with its address and token filled in."""

import json
import re
from pathlib import Path

from django.conf import settings

from channels.models import Account

SCRIPT = Path("channels/messengerbot.js")


def address_of(account: Account) -> str:
    """Where the account's phone fetches, and says what it did."""
    return f"{settings.TEIJI_PUBLIC_URL}/pull/{account.hook}/"


def filled_in(account: Account, token: str) -> str:
    """The whole script, ready to be pasted on the phone."""
    text = (settings.BASE_DIR / SCRIPT).read_text(encoding="utf-8")
    for name, value in (("ADDRESS", address_of(account)), ("TOKEN", token)):
        line = f"var {name} = {json.dumps(value)};"
        found = re.search(rf"^var {name} = .*;$", text, re.M)
        assert found, f"the script has no line for {name}"
        text = text[: found.start()] + line + text[found.end() :]
    return text
