"""Calls the API as an integration does: with a token, in JSON."""

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from orgs.models import Token, User

ROOT = "/api/v1"


@dataclass
class Caller:
    """One token's holder. `path` is what follows /api/v1."""

    key: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content_type = headers.pop("Content-Type", "application/json")
        headers = {"Authorization": f"Bearer {self.key}"} | headers
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body)
        return Client().generic(
            method.upper(), ROOT + path, data, content_type=content_type, headers=headers
        )

    def get(self, path: str, **headers: str) -> Any:
        return self("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("post", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self("patch", path, body, **headers)


def caller(user: User, *scopes: str) -> Caller:
    """The API as this user's program sees it; without scopes, with read and write."""
    _token, key = Token.issue(user=user, name="tests", scopes=list(scopes) or ["read", "write"])
    return Caller(key)


def ids(response: Any) -> list[int]:
    """The ids on a page of a list."""
    return [row["id"] for row in response.json()["results"]]
