"""The queue of messages that a phone fetches from us."""

from datetime import datetime
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.moments import written
from orgs.reach import Belongs, Role


class PulledQuerySet(models.QuerySet["PulledMessage"]):
    def waiting(self) -> "PulledQuerySet":
        """Neither fetched nor withdrawn."""
        return self.filter(fetched_at=None, withdrawn_at=None)

    def out(self) -> "PulledQuerySet":
        """Fetched, and nothing was said of them since."""
        return self.filter(fetched_at__isnull=False, answered_at=None)


class PulledMessage(models.Model):
    """One message for one phone. It has no state, only facts: each is written once, where it
    is still missing, so that of two who would write it one wins."""

    reach = Belongs("account__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    uid = models.UUIDField(default=uuid4, unique=True, help_text=_("By which the phone names it."))
    key = models.UUIDField(help_text=_("That of the part which it carries."))
    address = models.CharField(_("room"), max_length=200)
    text = models.TextField(_("text"))
    queued_at = models.DateTimeField(_("queued"))
    fetch_by = models.DateTimeField(
        _("to be fetched by"), help_text=_("From then on nobody is given it any more.")
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    fetch = models.CharField(
        max_length=64, blank=True, help_text=_("The phone's name for the fetch that got it.")
    )
    fetched_at = models.DateTimeField(_("fetched"), null=True)
    answer_by = models.DateTimeField(_("to be answered by"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    is_shown = models.BooleanField(
        _("shown"), null=True, help_text=_("What the phone said: it was typed, or it could not be.")
    )
    why = models.CharField(_("why not"), max_length=200, blank=True)

    objects = PulledQuerySet.as_manager()

    class Meta:
        verbose_name = _("message for a phone")
        verbose_name_plural = _("messages for phones")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(fetched_at=None),
                name="pulled_is_fetched_or_withdrawn",
            ),
            models.CheckConstraint(
                condition=Q(fetched_at=None, answer_by=None)
                | Q(fetched_at__isnull=False, answer_by__isnull=False),
                name="pulled_fetch_has_its_deadline",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, is_shown=None)
                | Q(answered_at__isnull=False, is_shown__isnull=False, fetched_at__isnull=False),
                name="pulled_answer_follows_a_fetch",
            ),
        ]
        indexes = [
            # What a phone fetches next.
            models.Index(
                fields=["account", "id"],
                condition=Q(fetched_at=None, withdrawn_at=None),
                name="pulled_to_fetch",
            ),
            # What the phone has not answered yet.
            models.Index(
                fields=["account", "answer_by"],
                condition=Q(fetched_at__isnull=False, answered_at=None),
                name="pulled_to_answer",
            ),
            # When the phone was last heard of, for the pause after it.
            models.Index(fields=["account", "answered_at"], name="pulled_by_answer"),
            # What became of a part.
            models.Index(fields=["account", "key"], name="pulled_by_key"),
            # What is old enough to be removed.
            models.Index(fields=["queued_at"], name="pulled_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.address} · {written(self.queued_at, 'UTC')}"

    def may_still_be_shown(self, now: datetime) -> bool:
        """Whether the phone may yet fetch it, or has it and may yet answer."""
        if self.fetched_at:
            return self.answered_at is None and now < (self.answer_by or now)
        return self.withdrawn_at is None and now < self.fetch_by
