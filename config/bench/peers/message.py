"""The message that everybody sends: Teiji, the floor and the peers."""

import json
from uuid import uuid4

ACCESS_TOKEN = "a-long-lived-token"  # noqa: S105  (the fake's own: see tests/fakes/line.py)
PATH = "/v2/bot/message/push"
TEXT = "定時 09:00"


def address(number: int, tenant: int = 0) -> str:
    """A room's; those of one tenant begin alike."""
    return f"{prefix(tenant)}{number:031x}"


def prefix(tenant: int) -> str:
    return f"C{tenant:x}"


def body(to: str) -> bytes:
    return json.dumps({"to": to, "messages": [{"type": "text", "text": TEXT}]}).encode()


def headers() -> dict[str, str]:
    """With a new retry key."""
    return {
        "Authorization": f"Bearer {ACCESS_TOKEN}",
        "Content-Type": "application/json",
        "X-Line-Retry-Key": str(uuid4()),
    }
