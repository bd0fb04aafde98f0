"""What administrators are told: alerts as they are raised, and the notices made of them."""

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from channels.models.alert_target import AlertTarget
from orgs.moments import written
from orgs.reach import Belongs, Role

T = TypeVar("T")


def in_each_language(say: Callable[[], T]) -> dict[str, T]:
    """By the code of the language, what is said in it."""
    found = {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            found[code] = say()
    return found


class AlertKind(models.TextChoices):
    """Each leads to its own place in the admin (`channels.alerts.words`)."""

    FAILED = "failed", _("failed for good")
    UNCONFIRMED = "unconfirmed", _("not confirmed")
    MISSED = "missed", _("not sent")
    STOPPED = "stopped", _("account stopped")
    FENCED = "fenced", _("all sending stopped")
    STALLED = "stalled", _("overdue")
    BROKEN = "broken", _("a promise was broken")
    SILENT = "silent", _("a part of the machine is silent")
    FOUND = "found", _("found before its time")
    QUOTA = "quota", _("quota")
    APPROVAL = "approval", _("approval")
    REFUSED = "refused", _("refused")
    WEBHOOK = "webhook", _("webhook switched off")
    MOVED = "moved", _("unit moved")
    WELCOME = "welcome", _("a place was added")


class Notice(models.Model):
    """One message to the people of one unit about one subject: the first alert, or a digest."""

    reach = Belongs("unit_path", view=Role.MANAGER, write=Role.MANAGER)

    kind = models.CharField(_("kind"), max_length=12, choices=AlertKind.choices)
    subject = models.CharField(max_length=60)
    unit_path = models.CharField(max_length=255, blank=True)
    made_at = models.DateTimeField(_("at"))
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"))
    translated = models.JSONField(
        null=True, help_text=_("Title and text in the other languages in which they differ.")
    )
    count = models.PositiveIntegerField(_("events"), default=1)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-id"]
        indexes = [
            # Those that are forgotten, and the last ones of a subtree.
            models.Index(fields=["made_at"], name="notices_by_time"),
            models.Index(
                fields=["unit_path"], name="notices_by_unit", opclasses=["varchar_pattern_ops"]
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def said_in(self, language: str) -> tuple[str, str]:
        """Title and text in this language."""
        title, body = (self.translated or {}).get(language, (self.title, self.body))
        return title, body


class Alert(models.Model):
    """An event to be told, written with its cause in one transaction. Of many that come together
    there is one row; `lines` then holds the first of them: [appointed or at, words]."""

    reach = Belongs("unit_path", view=Role.MANAGER, write=Role.MANAGER)

    kind = models.CharField(max_length=12, choices=AlertKind.choices)
    # What belongs together in one digest.
    subject = models.CharField(max_length=60)
    # The same event is the same key: it is told once, whoever sees it and however often.
    key = models.CharField(max_length=120, unique=True)
    unit_path = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=100, blank=True)
    lines = models.JSONField(default=list)
    translated = models.JSONField(
        null=True, help_text=_("Name and lines in the other languages in which they differ.")
    )
    count = models.PositiveIntegerField(default=1)
    is_over = models.BooleanField(default=False, help_text=_("Tells that it goes on again."))
    raised_at = models.DateTimeField()
    notice = models.ForeignKey(Notice, models.CASCADE, null=True, related_name="alerts")

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["id"]
        indexes = [
            # What is in no notice yet.
            models.Index(
                fields=["kind", "subject", "unit_path"],
                condition=Q(notice=None),
                name="alerts_to_gather",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def said_in(self, language: str) -> tuple[str, list[tuple[str, str]]]:
        """The name, and the lines each with its time, in this language."""
        own = self.name, [words for _at, words in self.lines]
        name, lines = (self.translated or {}).get(language, own)
        times = [at for at, _words in self.lines]
        return name, list(zip(times, lines, strict=True))


class Quiet(models.Model):
    """Until when nothing more is said of one subject to one unit: whoever raises it, tells."""

    reach = Belongs("unit_path", view=Role.MANAGER, write=Role.MANAGER)

    kind = models.CharField(max_length=12)
    subject = models.CharField(max_length=60)
    unit_path = models.CharField(max_length=255, blank=True)
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("quiet")
        verbose_name_plural = _("quiet")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject", "unit_path"], name="one_quiet_per_subject_and_unit"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} · {written(self.until, 'UTC')}"


class Telling(models.Model):
    """One notice to one place, and what became of it."""

    reach = Belongs("notice__unit_path", view=Role.MANAGER, write=Role.MANAGER)

    class State(models.TextChoices):
        WAITING = "waiting", _("to be told")
        TOLD = "told", _("told")
        UNSURE = "unsure", _("no certain answer")
        FAILED = "failed", _("could not be told")

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="tellings")
    # None: one of the installation's operators, by its number in TEIJI_ALERT_URLS.
    target = models.ForeignKey(AlertTarget, models.SET_NULL, null=True, related_name="tellings")
    operator = models.PositiveSmallIntegerField(null=True)
    to = models.CharField(_("to"), max_length=150)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField()
    told_at = models.DateTimeField(_("told"), null=True)
    why = models.CharField(_("why not"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("telling")
        verbose_name_plural = _("tellings")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["notice", "target"], name="one_telling_per_target"),
            models.UniqueConstraint(fields=["notice", "operator"], name="one_telling_per_operator"),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(state="waiting"), name="tellings_to_do"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.to} · {self.get_state_display()}"
