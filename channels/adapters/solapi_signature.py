"""How a request to Solapi is signed, and how it writes a time."""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime


def authorization(api_key: str, api_secret: str, now: float, salt: str = "") -> str:
    """The Authorization header of one request: Solapi takes each signature once, within 15
    minutes of `now` (Unix seconds)."""
    date, salt = date_of(now), salt or secrets.token_hex(16)
    signature = hmac.new(api_secret.encode(), f"{date}{salt}".encode(), hashlib.sha256).hexdigest()
    return f"HMAC-SHA256 ApiKey={api_key}, Date={date}, salt={salt}, signature={signature}"


def date_of(seconds: float) -> str:
    """Unix seconds as Solapi wants them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
