"""The forms of signing in: allauth's, with labels and widgets like those of the other pages."""

from typing import Any

from allauth.account import forms as account
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as factor
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as passkey
from cryptography.exceptions import InvalidSignature
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES, INPUT_CLASSES

from config.sign_in.records import note_failure

LABELS = {
    "login": _("User name or e-mail"),
    "password": _("Password"),
    "remember": _("Stay signed in on this device"),
    "oldpassword": _("Present password"),
    "password1": _("New password"),
    "password2": _("New password, again"),
    "email": _("E-mail"),
    "code": _("Code"),
    "name": _("Name of the passkey"),
    "passwordless": _("Sign in with it alone, without a password"),
}
HELP = {
    "name": _("So that you know it again, such as “phone” or “office PC”."),
    "passwordless": _("The device then asks for its PIN, a finger or a face."),
}
# A code is good for three steps of 30 seconds: as long it is known that it was used.
USED_SECONDS = 120
TRIPS = (AttributeError, InvalidSignature, KeyError, TypeError, ValueError)


class Styled(forms.Form):
    """Our words, and the theme's widgets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            if name != "password1":  # which says what a good one is
                field.help_text = HELP.get(name, "")
            attributes = field.widget.attrs
            attributes.pop("placeholder", None)
            is_box = isinstance(field.widget, forms.CheckboxInput)
            attributes["class"] = " ".join(CHECKBOX_CLASSES if is_box else INPUT_CLASSES)


class SignIn(Styled, account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = {"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        self.fields["login"].widget.attrs.update(attributes)


class Confirm(Styled, account.ReauthenticateForm):
    pass


class ChangePassword(Styled, account.ChangePasswordForm):
    pass


class SetPassword(Styled, account.SetPasswordForm):
    pass


class Forgotten(Styled, account.ResetPasswordForm):
    pass


class NewPassword(Styled, account.ResetPasswordKeyForm):
    pass


class OfApp(Styled):
    """A code of six digits, or one of the recovery codes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = {"inputmode": "numeric", "autofocus": True}
        self.fields["code"].widget.attrs.update(attributes)


class OnlyOnce(OfApp):
    """allauth forgets after one step of the clock that a code was used; it is good for three."""

    user: Any
    authenticator: Authenticator

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        digits = "".join(filter(str.isdigit, code))
        is_of_app = self.authenticator.type == Authenticator.Type.TOTP
        if is_of_app and not cache.add(f"code:{self.user.pk}:{digits}", 1, USED_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class Code(OnlyOnce, factor.AuthenticateForm):
    pass


class ConfirmByCode(OnlyOnce, factor.ReauthenticateForm):
    pass


class ActivateApp(OfApp, ActivateTOTPForm):
    pass


class Sound(forms.Form):
    """What came instead of a passkey's answer is refused; the library trips over some of it."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except TRIPS as error:
            raise get_adapter().validation_error("incorrect_code") from error


class EnterByPasskey(Sound, passkey.LoginWebAuthnForm):
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except forms.ValidationError:
            note_failure("", context.request, "webauthn")
            raise


class UsePasskey(Sound, passkey.AuthenticateWebAuthnForm):
    pass


class ConfirmByPasskey(Sound, passkey.ReauthenticateWebAuthnForm):
    pass


class AddPasskey(Styled, passkey.AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True

    def clean(self) -> Any:
        try:
            return super().clean()
        except TRIPS as error:
            raise get_adapter().validation_error("incorrect_code") from error


class RenamePasskey(Styled, passkey.EditWebAuthnForm):
    pass
