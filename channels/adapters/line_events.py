"""What LINE tells us: its webhook's signature and events.

https://developers.line.biz/en/reference/messaging-api/#webhooks
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from channels.adapters.base import Event, EventKind, ForgedError

KINDS = {
    "join": EventKind.JOINED,
    "leave": EventKind.LEFT,
    "follow": EventKind.FOLLOWED,
    "unfollow": EventKind.UNFOLLOWED,
}
LONGEST_ID = 100


def sign(secret: str, body: bytes) -> str:
    """The value of x-line-signature for this body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def read(secret: str, signature: str, body: bytes) -> list[Event]:
    """The events of a body that LINE has signed. Raises ForgedError for any other."""
    if not secret or not hmac.compare_digest(sign(secret, body).encode(), signature.encode()):
        raise ForgedError("The signature is not LINE's.")
    try:
        events = json.loads(body)["events"]
        return [_event(event) for event in events]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ForgedError("The body is not one of LINE's.") from error


def _event(event: dict[str, Any]) -> Event:
    source = event.get("source") or {}
    # A group or a room comes before the person who spoke in it.
    address = source.get("groupId") or source.get("roomId") or source.get("userId") or ""
    return Event(
        id=str(event["webhookEventId"])[:LONGEST_ID],
        kind=KINDS.get(event.get("type", ""), EventKind.OTHER),
        address=str(address),
        at=float(event["timestamp"]) / 1000,
        body=event,
    )
