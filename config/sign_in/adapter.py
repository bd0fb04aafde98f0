"""What allauth asks of us: addresses, words, secrets, mail, and what is recorded."""

from collections.abc import Iterable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as present
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.secrets import seal, unseal
from config.middleware import address_of
from config.sign_in import records

WRONG = _("User name and password do not belong together.")
INCORRECT = _("This code is not right, or was used before.")
TOO_MANY = _("That was wrong too often. Wait some minutes, then try again.")


class AccountAdapter(DefaultAccountAdapter):
    """Signing in and out, and passwords."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": WRONG,
        "username_password_mismatch": WRONG,
        "enter_current_password": _("This is not your present password."),
        "incorrect_code": INCORRECT,
        "incorrect_password": _("This is not your password."),
        "invalid_password_reset": _("This link was used before, or is too old."),
        "rate_limited": TOO_MANY,
        "too_many_login_attempts": TOO_MANY,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def get_reset_password_from_key_url(self, key: str) -> str:
        """By the address that is set: the request's own host is the caller's word."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "0", "key": "0"})
        return f"{settings.TEIJI_PUBLIC_URL}{path.replace('0-0', key)}"

    def get_reauthentication_methods(self, user: Any) -> list[dict]:
        words = {
            "reauthenticate": gettext("With your password"),
            "mfa_reauthenticate": gettext("With a code"),
            "mfa_reauthenticate:webauthn": gettext("With a passkey"),
        }
        methods = super().get_reauthentication_methods(user)
        return [{**method, "description": words[method["id"]]} for method in methods]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        site_address = settings.TEIJI_PUBLIC_URL
        super().send_mail(template_prefix, email, {**context, "site_address": site_address})

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Any,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """To the address that the user's row has, or to nobody."""
        if to := email or user.email:
            about = {**(context or {}), "user": user}
            super().send_notification_mail(template_prefix, user, about, to)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        records.note("signed_in", user, by=user)
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        name = str(credentials.get("username") or credentials.get("email") or "")
        records.note_failure(name, request, "password")

    def logout(self, request: HttpRequest) -> None:
        records.note("signed_out", request.user, by=request.user)
        super().logout(request)


class FactorAdapter(DefaultMFAAdapter):
    """Second factors. Their secrets are sealed as those of channels are."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": INCORRECT}

    def encrypt(self, text: str) -> str:
        return seal({"secret": text})

    def decrypt(self, encrypted_text: str) -> str:
        return str(unseal(encrypted_text)["secret"])

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        return gettext("Passkey")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Teiji"}


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Where a person is signed in."""

    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        ended = list(sessions)
        super().end_sessions(ended)
        user = present.request.user
        records.note("sessions_ended", user, by=user, sessions=len(ended))
