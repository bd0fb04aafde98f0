"""The identity of an installation, and the fence around all that it sends."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

ONLY = 1  # the key of the one row

# A lift raises the generation by so much: above all that any machine has seen, by some 30 years.
LEAP = 1_000_000_000
YOUNG = 60  # a database with so few generations is only being set up


class InstallationQuerySet(models.QuerySet["Installation"]):
    def present(self) -> "Installation | None":
        """The one row; None before a worker has ever looked."""
        return self.filter(pk=ONLY).first()

    def fenced(self) -> "Installation | None":
        """The row while sending is fenced."""
        return self.filter(pk=ONLY, fenced_at__isnull=False).first()

    def grow(self, since: datetime, now: datetime) -> int:
        """Raise the generation, unless somebody has done so after `since`."""
        mine = self.filter(pk=ONLY, fenced_at=None, clock_at__lte=since)
        latest = Greatest("clock_at", Value(now, models.DateTimeField()))
        return mine.update(generation=F("generation") + 1, clock_at=latest)


class Installation(models.Model):
    """Which database this is, how far it has come, and whether it may send. One row."""

    class Reason(models.TextChoices):
        NONE = "", ""
        CLONE = "clone", _("The database was copied or moved to another place.")
        RESTORED = "restored", _("The database was set back to an earlier state.")
        OTHER = "other", _("A machine that worked for another database has come to this one.")
        CLOCK_BACK = "clock_back", _("The database’s clock was set back.")
        CLOCK_JUMP = "clock_jump", _("The database’s clock jumped forward.")
        BY_HAND = "by_hand", _("A person has stopped all sending.")

    id: Any = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    uid = models.UUIDField(default=uuid4, editable=False)
    place = models.JSONField(
        default=dict, help_text=_("What tells this database from a copy of it.")
    )
    generation = models.BigIntegerField(
        default=0, help_text=_("Raised each second while a worker runs: an older one was restored.")
    )
    clock_at = models.DateTimeField(
        null=True, help_text=_("The latest time that the database has said.")
    )
    fenced_at = models.DateTimeField(_("fenced"), null=True)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices, blank=True)
    detail = models.TextField(_("detail"), blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    lifted_by = models.CharField(_("lifted by"), max_length=150, blank=True)
    skip_until = models.DateTimeField(
        null=True, help_text=_("What was not planned by then is planned as skipped.")
    )

    objects = InstallationQuerySet.as_manager()

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installations")
        constraints = [
            models.CheckConstraint(condition=Q(id=ONLY), name="one_installation_per_database"),
        ]

    def __str__(self) -> str:
        return str(self.uid)
