"""What the templates of signing in need: the theme's look, a title, and which frame to stand in."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from channels.alerts.mailing import can_mail
from orgs.second_factor import lacks_second_factor

TITLES = {
    "account_login": _("Sign in"),
    "account_logout": _("Sign out"),
    "account_inactive": _("Not active"),
    "account_reauthenticate": _("Is it you?"),
    "account_change_password": _("Change the password"),
    "account_set_password": _("Choose a password"),
    "account_reset_password": _("Password forgotten"),
    "account_reset_password_done": _("Look into your mail"),
    "account_reset_password_from_key": _("Choose a new password"),
    "account_reset_password_from_key_done": _("The new password holds"),
    "mfa_index": _("Sign-in and security"),
    "mfa_authenticate": _("Second factor"),
    "mfa_reauthenticate": _("Is it you?"),
    "mfa_activate_totp": _("Set up an authenticator app"),
    "mfa_deactivate_totp": _("Remove the authenticator app"),
    "mfa_view_recovery_codes": _("Recovery codes"),
    "mfa_generate_recovery_codes": _("New recovery codes"),
    "mfa_list_webauthn": _("Passkeys"),
    "mfa_add_webauthn": _("Add a passkey"),
    "mfa_edit_webauthn": _("Rename the passkey"),
    "mfa_remove_webauthn": _("Remove the passkey"),
    "mfa_reauthenticate_webauthn": _("Is it you?"),
    "usersessions_list": _("Where you are signed in"),
}
ENTRANCE, INSIDE = "sign_in/entrance.html", "sign_in/inside.html"


def sign_in_look(request: HttpRequest) -> dict[str, Any]:
    """For the pages of signing in alone. Who must set up a second factor first sees no more of
    the admin than its entrance."""
    match = request.resolver_match
    title = TITLES.get(match.url_name or "") if match else None
    if title is None:
        return {}
    is_held = lacks_second_factor(request.user)
    is_outside = is_held or not request.user.is_authenticated or not request.user.is_staff
    return {
        **admin.site.each_context(request),
        "title": title,
        "frame": ENTRANCE if is_outside else INSIDE,
        "is_held": is_held,
        "can_mail": can_mail(),
    }
