"""Errors as problem details (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

MEDIA_TYPE = "application/problem+json"
Errors = dict[str, list[str]]


class Conflict(APIException):
    """The request is well formed, but does not go with how things stand now."""

    status_code = HTTPStatus.CONFLICT
    default_code = "conflict"


class BodyTooLarge(APIException):
    """More than is read."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The body is too large.")
    default_code = "too_large"


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's answer to an error, in the shape of a problem."""
    if isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, (TooManyFieldsSent, TooManyFilesSent)):
        error = ParseError(_("The body has more in it than is read."))
    response = exception_handler(error, context)
    if response is None:
        return None
    errors = by_field(response.data) if isinstance(error, ValidationError) else None
    response.data = problem(response.status_code, str(getattr(error, "detail", "")), errors)
    response.content_type = MEDIA_TYPE
    return response


def problem(code: int, detail: str = "", errors: Errors | None = None) -> dict[str, Any]:
    """The body of an error."""
    status = HTTPStatus(code)
    if errors is not None:
        detail = _("Some fields are not right.")
    elif status == HTTPStatus.NOT_FOUND:
        # One text for all: another for what is out of reach would say that it exists.
        detail = _("There is nothing here.")
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail or status.description,
    }
    return body if errors is None else body | {"errors": errors}


def by_field(data: Any) -> Errors:
    """Errors as {field: [message]}; what concerns no single field stands under `__all__`."""
    if not isinstance(data, dict):
        data = {"__all__": data if isinstance(data, list) else [data]}
    return {
        "__all__" if name == "non_field_errors" else name: _flat(messages)
        for name, messages in data.items()
    }


def _flat(messages: Any) -> list[str]:
    if isinstance(messages, dict):
        return [text for part in messages.values() for text in _flat(part)]
    if isinstance(messages, list):
        return [text for part in messages for text in _flat(part)]
    return [str(messages)]
