"""Whether the settings are good enough for others to rely on."""

from django.conf import settings
from django.core import checks

from config.doctor.finding import Finding, error, examination, ok, warning


@examination(asks_database=False)
def configuration() -> Finding:
    """As `manage.py check --deploy`."""
    found = [m for m in checks.run_checks(include_deployment_checks=True) if not m.is_silenced()]
    serious = [message for message in found if message.is_serious()]
    if not settings.PRODUCTION and not serious:
        advice = "For a site that others rely on set TEIJI_PROFILE=production."
        return warning(f"the profile is {settings.TEIJI_PROFILE}", advice)
    if not found:
        return ok("the profile is production")
    said = " ".join(f"{message.id}: {message.msg}" for message in serious or found)
    advice = " ".join(str(message.hint) for message in serious or found if message.hint)
    return (error if serious else warning)(said, advice or "See manage.py check --deploy.")
