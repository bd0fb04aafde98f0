"""Mail to people: by the first mail server of the operators' own alerts."""

from django.conf import settings


def can_mail() -> bool:
    """Whether a mail server is set."""
    return _server() is not None


def mail_url(address: str) -> str | None:
    """Apprise's URL for a mail to this address; None where no server is set."""
    server = _server()
    # The last word counts: this person, and not the operators' own address.
    return server and f"{server}{'&' if '?' in server else '?'}to={address}"


def _server() -> str | None:
    schemes = ("mailto://", "mailtos://")
    return next((url for url in settings.TEIJI_ALERT_URLS if url.startswith(schemes)), None)
