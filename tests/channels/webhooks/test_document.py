"""What docs/webhooks.md says, a receiver can do."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from channels.models import FactKind
from channels.webhooks.note import RETRY_AFTER
from channels.webhooks.signing import headers_of, new_secret
from tests.documents.reading import block

TEXT = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
BODY = '{"title":"아침 공지"}'.encode()


@pytest.fixture(scope="module")
def is_ours() -> Any:
    names: dict[str, Any] = {}
    exec(compile(block("webhooks.md", "verify"), "docs/webhooks.md", "exec"), names)
    return names["is_ours"]


def signed(*secrets: str, at: float = 0) -> dict[str, str]:
    return headers_of(secrets, "msg_1", int(time.time() + at), BODY)


def test_what_is_ours_is_believed_by_the_new_secret_and_by_the_old(is_ours: Any) -> None:
    old, new = new_secret(), new_secret()
    for known in (old, new):
        assert is_ours(known, signed(new, old), BODY)


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, BODY + b" "),
        ({"webhook-id": "msg_2"}, BODY),
        ({"webhook-timestamp": "soon"}, BODY),
        ({"webhook-signature": "v1,"}, BODY),
    ],
)
def test_what_was_changed_is_not_believed(
    is_ours: Any, change: dict[str, str], body: bytes
) -> None:
    secret = new_secret()
    assert not is_ours(secret, signed(secret) | change, body)


def test_neither_is_what_is_old_nor_what_others_signed(is_ours: Any) -> None:
    secret = new_secret()
    assert not is_ours(secret, signed(secret, at=-301), BODY)
    assert not is_ours(secret, signed(new_secret()), BODY)


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the Standard Webhooks reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    given = headers_of(
        [secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert given["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_event_is_in_the_document_and_the_tries_are_those() -> None:
    assert re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", TEXT, re.MULTILINE) == list(FactKind)
    hours = [seconds / 3600 for seconds in RETRY_AFTER[3:]]
    assert (RETRY_AFTER[:3], hours) == ((60, 300, 900), [1, 3, 6, 12, 24, 24])
