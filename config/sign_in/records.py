"""What the history says of signing in. A person's entries stand at their membership."""

import logging
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as factor
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Q
from django.http import HttpRequest

from config.middleware import address_of
from logs.history import record
from orgs.clock import database_now
from orgs.models import User

logger = logging.getLogger(__name__)


def note(verb: str, user: Any, *, by: Any | None, **facts: Any) -> None:
    """Write down that `by` (None: nobody knows who) did this to the sign-in of `user`."""
    member = user.member_or_none()
    record(
        verb,
        member or user,
        by=by,
        now=database_now(),
        unit_path=member.unit.path if member else "",
        changes=facts,
    )


def note_failure(name: str, request: HttpRequest, through: str) -> None:
    """Somebody could not sign in under this name. Of names that nobody has, which may be
    passwords typed in the wrong place, the log tells the address alone. No name: a passkey."""
    address = address_of(request)
    known = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)) if name else []
    for user in known:
        note("sign_in_failed", user, by=None, address=address, through=through)
    if not known:
        logger.warning("somebody at %s could not sign in by %s", address, through)


def listen() -> None:
    """Hear what allauth tells only by signals."""
    account.password_changed.connect(_password_changed)
    account.password_set.connect(_password_changed)
    account.password_reset.connect(_password_reset)
    factor.authentication_failed.connect(_factor_failed)
    factor.authenticator_added.connect(_factor_added)
    factor.authenticator_removed.connect(_factor_removed)
    factor.authenticator_reset.connect(_factor_added)


def _password_changed(user: Any, **_: Any) -> None:
    note("password_changed", user, by=user)


def _password_reset(user: Any, **_: Any) -> None:
    note("password_reset", user, by=user)


def _factor_failed(request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    kind = authenticator.type
    note("sign_in_failed", user, by=None, address=address_of(request), through=kind)


def _factor_added(request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    """Sessions elsewhere have shown no second factor: they end."""
    note("factor_added", user, by=user, through=authenticator.type, name=_name(authenticator))
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        end_sessions(user, but=request.session.session_key)


def _factor_removed(user: Any, authenticator: Authenticator, **_: Any) -> None:
    note("factor_removed", user, by=user, through=authenticator.type, name=_name(authenticator))


def end_sessions(user: Any, *, but: str | None = None) -> None:
    """Sign this person out everywhere, but in one session."""
    for session in UserSession.objects.filter(user=user).exclude(session_key=but or ""):
        session.end()


def _name(authenticator: Authenticator) -> str:
    is_passkey = authenticator.type == Authenticator.Type.WEBAUTHN
    return str(authenticator.wrap().name) if is_passkey else ""
