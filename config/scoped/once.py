"""Idempotency-Key: a POST that is sent twice is carried out once, and answered alike.

The act and its answer are written in one transaction. A twin that arrives meanwhile waits for
that, as the unique constraint makes it, and then gets the answer; after a crash there is neither.
"""

import hashlib
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import QueryDict
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import is_success

from config.models import KeptAnswer
from config.scoped.holder import holder_in_unit
from orgs.clock import database_now

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 255
PLAIN = re.compile(r"[!-~]+")  # no space among them
REPEATED_HEADERS = ("ETag",)


class OtherBody(APIException):
    """The key was used for something else."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = gettext_lazy("This Idempotency-Key was used with another body.")
    default_code = "other_body"


class ShownOnce(Response):
    """An answer with a secret in it, which is not kept: `kept` is repeated instead."""

    def __init__(self, data: Any, *, kept: Any, status: int) -> None:
        super().__init__(data, status=status)
        self.kept = kept


def key_of(request: Request) -> str:
    """The key that a POST names; "" for none."""
    if request.method != "POST" or HEADER not in request.headers:
        return ""
    key = str(request.headers[HEADER]).strip()
    if len(key) > LONGEST_KEY or not PLAIN.fullmatch(key):
        raise ParseError(
            _("An Idempotency-Key has 1 to %(most)d plain characters.") % {"most": LONGEST_KEY}
        )
    return key


def is_answered(request: Request) -> bool:
    """Whether the request will not be carried out, since the answer to its key is kept."""
    key = key_of(request)
    kept = (
        KeptAnswer.objects.answered(holder_in_unit(request), key, database_now()) if key else None
    )
    return kept is not None and kept.exists()


def answer_once(
    key: str, handler: Callable[..., Response], request: Request, *args: Any, **kwargs: Any
) -> Response:
    """Carry out the request, or repeat what was answered to it. What is refused has changed
    nothing, and is not kept: mended, it may be sent with the same key."""
    digest = _digest(request)
    with transaction.atomic():
        row = KeptAnswer.objects.claim(holder_in_unit(request), key, digest, database_now())
        if row.status is not None:
            return _repeat(row, digest)
        response = handler(request, *args, **kwargs)
        if is_success(response.status_code):
            _keep(row, response)
        else:
            transaction.set_rollback(True)
        return response


def _keep(row: KeptAnswer, response: Response) -> None:
    row.status = response.status_code
    row.headers = {name: response[name] for name in REPEATED_HEADERS if name in response}
    data = response.kept if isinstance(response, ShownOnce) else response.data
    row.body = "" if data is None else JSONRenderer().render(data).decode()
    row.save()


def _repeat(row: KeptAnswer, digest: str) -> Response:
    if row.digest != digest:
        raise OtherBody
    data = json.loads(row.body) if row.body else None
    return Response(data, status=row.status, headers={**row.headers, REPLAYED: "true"})


def _digest(request: Request) -> str:
    """Of what was asked, not of how it was written: a form's boundary is another each time."""
    asked = [request.get_full_path(), _canonical(request.data)]
    text = json.dumps(asked, sort_keys=True)
    return salted_hmac("teiji.once", text, algorithm="sha256").hexdigest()


def _canonical(data: Any) -> Any:
    if not isinstance(data, QueryDict):
        return data
    return {
        name: [_of_file(value) if hasattr(value, "chunks") else value for value in values]
        for name, values in data.lists()
    }


def _of_file(file: Any) -> list[str]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return [file.name, digest.hexdigest()]
