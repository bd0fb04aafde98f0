"""Who must show a second factor when they sign in, and who can."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings

from orgs.reach import member_of

# Recovery codes alone are none: they stand in for one of these.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def lacks_second_factor(user: Any) -> bool:
    """Whether this person must set one up before anything else."""
    return user.is_authenticated and is_required_of(user) and not has_second_factor(user)


def is_required_of(user: Any) -> bool:
    """By the kind of the person's unit; who may do everything counts as headquarters."""
    kinds = settings.TEIJI_SECOND_FACTOR
    if not kinds:
        return False
    member = member_of(user)
    return (member is not None and member.unit.kind in kinds) or user.is_superuser


def has_second_factor(user: Any) -> bool:
    return Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()
