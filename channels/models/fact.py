"""Facts that others may be told: what became of runs, and what waits for people."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orgs.moments import written
from orgs.reach import Belongs


class FactKind(models.TextChoices):
    """The names are part of what receivers are sent: none is ever changed."""

    SENT = "run.sent", _("a run was sent")
    PARTIAL = "run.partial", _("a run was partly sent")
    FAILED = "run.failed", _("a run failed")
    UNCONFIRMED = "run.unconfirmed", _("a run is not confirmed")
    MISSED = "run.missed", _("a run was missed")
    SKIPPED = "run.skipped", _("a run was skipped")
    APPROVAL_ASKED = "approval.asked", _("an approval is asked for")
    APPROVED = "approval.approved", _("an approval was given")
    APPROVAL_REFUSED = "approval.refused", _("an approval was refused")
    ACCOUNT_STOPPED = "account.stopped", _("an account was stopped")
    TEST = "webhook.test", _("a test")


class Fact(models.Model):
    """Written with its cause in one transaction; a worker then spreads it to whom it concerns.
    It holds by value what is told, and neither contents, nor addresses, nor secrets."""

    reach = Belongs("unit_path")

    uid = models.UUIDField(default=uuid4)
    kind = models.CharField(_("event"), max_length=20, choices=FactKind.choices)
    unit_path = models.CharField(max_length=255)
    at = models.DateTimeField(_("at"))
    data = models.JSONField(default=dict)
    # Who registered what it is about, or asked for it.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    # The very text that receivers get, the same at every try; written as it is spread.
    body = models.TextField(default="", blank=True)
    spread_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["id"], condition=Q(spread_at=None), name="facts_to_spread"),
            # Those that are forgotten.
            models.Index(fields=["at"], name="facts_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {written(self.at, 'UTC')}"

    @property
    def message_id(self) -> str:
        """By which receivers know it again."""
        return f"msg_{self.uid.hex}"
