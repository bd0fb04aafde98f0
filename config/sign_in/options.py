"""The settings of django-allauth. Settings load this module: it imports nothing of ours."""

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"

ACCOUNT_ADAPTER = "config.sign_in.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # there is no page for it: see urls
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# Addresses are those that managers enter. allauth's own table of addresses stays empty: an
# address that was replaced must not open anything any more.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Teiji: "
PASSWORD_RESET_TIMEOUT = 3 * 3600
# Of an office, all may come from one address at nine o'clock.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,3/5m/key",
}
_FORMS = "config.sign_in.forms."
ACCOUNT_FORMS = {
    "login": _FORMS + "SignIn",
    "reauthenticate": _FORMS + "Confirm",
    "change_password": _FORMS + "ChangePassword",
    "set_password": _FORMS + "SetPassword",
    "reset_password": _FORMS + "Forgotten",
    "reset_password_from_key": _FORMS + "NewPassword",
}

USERSESSIONS_ADAPTER = "config.sign_in.adapter.SessionsAdapter"

MFA_ADAPTER = "config.sign_in.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Teiji"
MFA_TOTP_TOLERANCE = 1  # clocks of phones are half a minute off, and typing takes time
MFA_FORMS = {
    "authenticate": _FORMS + "Code",
    "reauthenticate": _FORMS + "ConfirmByCode",
    "activate_totp": _FORMS + "ActivateApp",
    "login_webauthn": _FORMS + "EnterByPasskey",
    "authenticate_webauthn": _FORMS + "UsePasskey",
    "reauthenticate_webauthn": _FORMS + "ConfirmByPasskey",
    "add_webauthn": _FORMS + "AddPasskey",
    "edit_webauthn": _FORMS + "RenamePasskey",
}

# What is counted and what was used must hold for all web processes: it lives in the database.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "teiji_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

EMAIL_BACKEND = "config.sign_in.mail.Mailer"
