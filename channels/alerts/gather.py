"""Gather: makes notices of what was raised. The first of a subject at once; then, for some
minutes, whatever comes is kept for one digest."""

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from channels.alerts.routes import routes_of, tell_target, tellings_of
from channels.alerts.words import LINES, body_of, title_of
from channels.models.alert import Alert, AlertKind, Notice, Quiet, Telling, in_each_language
from channels.models.alert_target import AlertTarget
from orgs.models import Unit

SUBJECTS_A_TURN = 500
QUIET = timedelta(minutes=15)
KEPT = timedelta(days=90)

Subject = tuple[str, str, str]  # kind, subject, path of the unit that is told


def gather(now: datetime, *, only: Collection[str] | None = None) -> int:
    """Make the notices whose time has come; `only` of these kinds. Returns how many. Any number
    of workers may do so at once: of a subject one of them does."""
    raised = Alert.objects.filter(notice=None).order_by()
    if only is not None:
        raised = raised.filter(kind__in=only)
    found = raised.values_list("kind", "subject", "unit_path").distinct()[:SUBJECTS_A_TURN]
    rows = list(found)
    if not rows:
        return 0
    routes = routes_of(path for _kind, _subject, path in rows)
    together: dict[Subject, list[str]] = defaultdict(list)
    for kind, subject, path in rows:
        together[kind, subject, routes.told(path)].append(path)
    made = sum(_make(subject, paths, now) for subject, paths in together.items())
    if made:
        Notice.objects.filter(made_at__lt=now - KEPT).delete()
    return made


def greet(target: AlertTarget, now: datetime) -> None:
    """Tell a new place that it will be told: so it is known at once whether that works."""

    def say() -> tuple[str, str]:
        words = _("From now on the alerts of %(unit)s come here.") % {"unit": target.unit.name}
        return "Teiji", f"{words}\n\n{settings.TEIJI_PUBLIC_URL}"

    notice = _written(
        Notice(
            kind=AlertKind.WELCOME,
            subject=f"target:{target.pk}",
            unit_path=target.unit.path,
            made_at=now,
        ),
        say,
    )
    tell_target(notice, target, now).save()


@transaction.atomic
def _make(subject: Subject, unit_paths: Collection[str], now: datetime) -> bool:
    if not _may_speak(subject, now):
        return False
    kind, name, _path = subject
    mine = Alert.objects.filter(notice=None, kind=kind, subject=name, unit_path__in=unit_paths)
    last = mine.order_by("-id").first()
    if last is None:
        # Another worker has taken them since: it has not spoken for this one.
        transaction.set_rollback(True)
        return False
    notice = _notice(subject, mine.filter(id__lte=last.pk), last, now)
    mine.filter(id__lte=last.pk).update(notice=notice)
    Telling.objects.bulk_create(tellings_of(notice, now))
    return True


def _may_speak(subject: Subject, now: datetime) -> bool:
    """Whether nothing was said of it for long enough; if so, keeps the others quiet. The row is
    the lock on which a second worker waits, and then finds that it has been done."""
    kind, name, path = subject
    key = {"kind": kind, "subject": name, "unit_path": path}
    Quiet.objects.bulk_create([Quiet(**key, until=now)], ignore_conflicts=True)
    return bool(Quiet.objects.filter(**key, until__lte=now).update(until=now + QUIET))


def _notice(subject: Subject, alerts: QuerySet[Alert], last: Alert, now: datetime) -> Notice:
    kind, name, path = subject
    first = list(alerts.order_by("id")[:LINES])
    shown = first if first[-1].pk == last.pk else [*first, last]
    count = alerts.aggregate(count=Sum("count"))["count"]
    unit = Unit.objects.filter(path=path).first()
    zone = unit.zone if unit else str(ZoneInfo(settings.TIME_ZONE))

    def say() -> tuple[str, str]:
        body = body_of(shown, count, unit=unit.name if unit else "", zone=zone)
        return title_of(shown, count)[:200], body

    made = Notice(kind=kind, subject=name, unit_path=path, made_at=now, count=count)
    return _written(made, say)


def _written(notice: Notice, say: Callable[[], tuple[str, str]]) -> Notice:
    """Stored with what it says: in the language of its unit, and in the others where it differs
    there."""
    said = in_each_language(say)
    path = notice.unit_path
    own = said[Unit.objects.languages([path])[path] if path else settings.LANGUAGE_CODE]
    notice.title, notice.body = own
    notice.translated = {code: one for code, one in said.items() if one != own} or None
    notice.save()
    return notice
