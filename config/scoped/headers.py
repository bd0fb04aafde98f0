"""The headers of the API's answers, as its document says them of each operation and status."""

from typing import Any

from django.urls import reverse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import is_success

ALWAYS = ("X-Request-ID",)
RATES = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")
# They may be refused before it is known whose share it is: a 404 is also that of no address.
UNCOUNTED = (
    status.HTTP_401_UNAUTHORIZED,
    status.HTTP_403_FORBIDDEN,
    status.HTTP_404_NOT_FOUND,
    status.HTTP_406_NOT_ACCEPTABLE,
)

SECONDS: dict[str, Any] = {"type": "integer", "minimum": 0}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The request's id, yours if you gave one: the history and the log have it.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
    },
    "RateLimit-Limit": {
        "description": "How many requests a minute the token has.",
        "required": True,
        "schema": {"type": "integer"},
    },
    "RateLimit-Remaining": {
        "description": "How many of them are left.",
        "required": True,
        "schema": SECONDS,
    },
    "RateLimit-Reset": {
        "description": "Seconds until all of them are there again.",
        "required": True,
        "schema": SECONDS,
    },
    "RateLimit-Policy": {
        "description": "The limit, and over how many seconds it is counted.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+;w=[0-9]+$", "example": "600;w=60"},
    },
    "Retry-After": {
        "description": "After so many seconds you may ask again.",
        "required": True,
        "schema": SECONDS,
    },
    "WWW-Authenticate": {
        "description": "How to sign in: by a token.",
        "required": True,
        "schema": {"type": "string", "enum": ["Bearer"]},
    },
    "Location": {
        "description": "The path of what was made.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "ETag": {
        "description": "The schedule's revision, for If-Match.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
    },
    "Idempotency-Replayed": {
        "description": "Only where it is the answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


def described(view: Any, method: str, code: int) -> dict[str, Any]:
    """For an operation's answer with this status, as the document has them."""
    names = [*ALWAYS]
    if code not in UNCOUNTED:
        names += RATES
    if code == status.HTTP_401_UNAUTHORIZED:
        names.append("WWW-Authenticate")
    if code == status.HTTP_429_TOO_MANY_REQUESTS:
        names.append("Retry-After")
    if is_success(code):
        names += ["ETag"] * (view.action in view.tagged)
        names += ["Idempotency-Replayed"] * (method == "POST")
    if code == status.HTTP_201_CREATED and has_place(view):
        names.append("Location")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def has_place(view: Any) -> bool:
    """Whether what this action makes has an address other than the one that was asked."""
    return view.action in view.made_at or (view.action == "create" and "retrieve" in view.acts)


def place_of(view: Any, request: Request, response: Response) -> str:
    """Where it is now what the answer says was made; "" if it says of nothing."""
    if response.status_code != status.HTTP_201_CREATED or not has_place(view):
        return ""
    pk = response.data["id"]
    if name := view.made_at.get(view.action):
        return reverse(f"api:{name}-detail", kwargs={"pk": pk})
    return f"{request.path}/{pk}"


def answer_headers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What the answers refer to (drf-spectacular's hook)."""
    result["components"]["headers"] = dict(sorted(HEADERS.items()))
    return result
