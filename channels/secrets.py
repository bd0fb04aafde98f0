"""Secrets at rest: encrypted with keys that are not in the database."""

import json
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def seal(values: dict[str, str]) -> str:
    """Encrypt with the first of TEIJI_SECRET_KEYS. Raises ImproperlyConfigured without one."""
    return _box().encrypt(json.dumps(values).encode()).decode()


def unseal(sealed: str) -> dict[str, Any]:
    """Decrypt with whichever key fits. Raises ImproperlyConfigured when none does."""
    if not sealed:
        return {}
    try:
        opened: dict[str, Any] = json.loads(_box().decrypt(sealed.encode()))
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "A stored secret cannot be opened with TEIJI_SECRET_KEYS. Put the key with which it "
            "was sealed back into that list, after the new one."
        ) from error
    return opened


def sealed_at(sealed: str) -> datetime | None:
    """When this was sealed; None where no key fits."""
    try:
        stamp = _box().extract_timestamp(sealed.encode())
    except (InvalidToken, ImproperlyConfigured):
        return None
    return datetime.fromtimestamp(stamp, UTC)


def sealed_anew(sealed: str) -> str:
    """The same, sealed with the first of TEIJI_SECRET_KEYS and dated as it was; itself where that
    is so already. Raises ImproperlyConfigured when no key opens it."""
    if not sealed or _is_of_the_first(sealed):
        return sealed
    unseal(sealed)  # says what is wrong
    return _box().rotate(sealed.encode()).decode()


def _is_of_the_first(sealed: str) -> bool:
    try:
        MultiFernet([Fernet(key) for key in settings.TEIJI_SECRET_KEYS[:1]]).decrypt(sealed)
    except (InvalidToken, ValueError):
        return False
    return True


def _box() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.TEIJI_SECRET_KEYS])
    except ValueError as error:
        raise ImproperlyConfigured(
            "TEIJI_SECRET_KEYS is empty, or a key in it is not a Fernet key."
        ) from error
