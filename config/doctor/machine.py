"""What Teiji needs of its machine: disk, folders, time zones, a way in from outside."""

import json
import shutil
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile
from urllib.request import HTTPRedirectHandler, Request, build_opener
from zoneinfo import available_timezones

from django.conf import settings

from config.backup.making import BACKED_UP
from config.doctor.finding import Finding, error, examination, ok, warning
from config.health import DISK_LEAST, existing
from logs.models import History
from orgs.clock import database_now
from orgs.models import Unit
from schedules.models import Schedule
from schedules.models.installation import ONLY

DISK_SHORT = 1024**3  # bytes
BACKUP_HOURS = 26.0  # a night and the time that a backup takes
ANSWER_SECONDS = 5.0


@examination(asks_database=False, may_hang=True)
def disk() -> Finding:
    places = settings.TEIJI_DATA_DIR, settings.MEDIA_ROOT
    try:
        place = min(
            (existing(Path(place)) for place in places),
            key=lambda place: shutil.disk_usage(place).free,
        )
        free = shutil.disk_usage(place).free
    except OSError as failure:  # a mount that is stale
        advice = "Mount the folders of data and images anew, or let the user that runs Teiji in."
        return error(f"it cannot be looked at ({failure.strerror})", advice)
    said = f"{free / 1024**3:.1f} GB free at {place}"
    advice = "Make room, or move the folder to a larger disk."
    if free < DISK_LEAST:
        return error(said, advice)
    return warning(said, advice) if free < DISK_SHORT else ok(said)


@examination(asks_database=False, may_hang=True)
def media() -> Finding:
    root = Path(settings.MEDIA_ROOT)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=root) as file:
            file.write(b"Teiji")
    except OSError as failure:
        advice = "Let the user that runs Teiji write there, or set TEIJI_MEDIA_ROOT."
        return error(f"{root} cannot be written: {failure.strerror}", advice)
    return ok(f"{root} can be written")


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


@examination(asks_database=False)
def public_url() -> Finding:
    """From this machine; whether others come through is for them to say."""
    url = f"{settings.TEIJI_PUBLIC_URL}/healthz"
    advice = (
        "See that the name leads to your proxy, and the proxy to the web server. Channels fetch "
        "images from there. From inside your network it may be out of reach all the same."
    )
    try:
        with build_opener(_NoRedirects).open(Request(url), timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            is_ours = json.loads(answer.read(1000)) == {"status": "ok"}
    except (OSError, ValueError) as failure:
        return warning(f"{url} is not reached ({type(failure).__name__})", advice)
    return ok(url) if is_ours else warning(f"{url} is answered by something else", advice)


@examination()
def backup() -> Finding:
    """The history says when the last one was verified, whichever machine has made it."""
    made = History.objects.filter(kind="installation", object_id=str(ONLY), verb=BACKED_UP)
    last = made.order_by("-id").first()
    advice = "Let the timer run manage.py backup each night (docs/operations.md)."
    if last is None:
        return warning("none was ever made", advice)
    hours = (database_now() - last.at).total_seconds() / 3600
    said = f"the latest is {hours:.0f} hours old"
    return ok(said) if hours < BACKUP_HOURS else warning(said, advice)


@examination(asks_database=False)
def zone_data() -> Finding:
    """Countries change their clocks at short notice: old data sends an hour off."""
    try:
        release = version("tzdata")
    except PackageNotFoundError:
        return warning("the package tzdata is missing", "pip install tzdata")
    year = int(release.split(".")[0])
    if datetime.now(UTC).year - year > 1:
        return warning(f"of {release}", "pip install --upgrade tzdata, and restart.")
    return ok(f"of {release}")


@examination()
def zones() -> Finding:
    named = set(Unit.objects.values_list("zone", flat=True).distinct())
    named |= set(Schedule.objects.values_list("zone", flat=True).order_by().distinct())
    if unknown := sorted(named - available_timezones()):
        advice = "Give the units and schedules that name them another one, or renew tzdata."
        return error(f"not known: {', '.join(unknown)}", advice)
    return ok(f"{len(named)} in use")
