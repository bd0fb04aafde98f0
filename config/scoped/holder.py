"""Who asks, in the words of the API's own tables."""

from typing import Any

from rest_framework.request import Request

from orgs.reach import member_of


def holder_of(request: Request) -> str:
    """The token, or the user who is signed in."""
    token: Any = request.auth
    return f"token:{token.pk}" if token is not None else f"user:{request.user.pk}"


def holder_in_unit(request: Request) -> str:
    """The same, in the unit in which they are at present."""
    member = member_of(request.user)
    return f"{holder_of(request)}@{member.unit.path if member else ''}"
