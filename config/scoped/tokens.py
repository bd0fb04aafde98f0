"""Sign-in to the API by token."""

from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from logs.history import origin
from orgs.clock import database_now
from orgs.models import Token, User

NOTED_EVERY = timedelta(minutes=1)  # "last used" need not be written at each request


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer tj_…`."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        words = get_authorization_header(request).decode("latin-1").split()
        if not words or words[0].lower() != self.keyword.lower():
            return None
        now = database_now()
        token = Token.objects.usable(words[-1], now).first() if len(words) == 2 else None
        if token is None:
            # The same answer for an unknown, an expired and a revoked token.
            raise AuthenticationFailed(_("This token is not valid."))
        if token.last_used_at is None or now - token.last_used_at > NOTED_EVERY:
            Token.objects.filter(pk=token.pk).update(last_used_at=now)
        origin.set(replace(origin.get(), token=token.name))  # the middleware sets it back
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
