"""What each try came to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from logs.models.append_only import AppendOnly
from logs.models.request import request_field
from orgs.reach import Belongs, Role


class Attempt(AppendOnly):
    """One try of one part of one delivery, and what the channel answered."""

    reach = Belongs("unit_path", write=Role.MANAGER)

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        LATER = "later", _("asked to come back")
        UNKNOWN = "unknown", _("no certain answer")

    delivery_id = models.BigIntegerField()
    run_id = models.BigIntegerField()
    schedule_id = models.BigIntegerField()
    schedule_title = models.CharField(_("schedule"), max_length=255)
    room_id = models.BigIntegerField(null=True)
    audience_id = models.BigIntegerField(null=True)
    room_name = models.CharField(_("room"), max_length=100)
    unit_path = models.CharField(max_length=255)
    channel = models.CharField(_("channel"), max_length=30)
    account_id = models.BigIntegerField()
    part = models.PositiveSmallIntegerField(_("part"))
    number = models.PositiveSmallIntegerField(_("try"))
    key = models.UUIDField(_("idempotency key"))
    due_at = models.DateTimeField(_("appointed"))
    claimed_at = models.DateTimeField(_("claimed"), null=True)
    wire_at = models.DateTimeField(_("handed over"), null=True)
    answered_at = models.DateTimeField(_("answered"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    request_id = models.CharField(
        _("request id"), max_length=100, blank=True, help_text=_("As the channel names it.")
    )
    answer = models.JSONField(_("answer"), default=dict)
    error = models.TextField(_("error"), blank=True)
    lateness_ms = models.IntegerField(
        _("lateness (ms)"),
        null=True,
        help_text=_("Of the try that counts for punctuality: the accepted first part."),
    )
    billed = models.PositiveIntegerField(
        _("billed"), default=0, help_text=_("Messages that the channel bills for it.")
    )

    already = models.BooleanField(
        _("known already"),
        default=False,
        db_default=False,
        help_text=_("Accepted, since the channel had accepted an earlier try with the same key."),
    )
    request = request_field()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["id"]
        indexes = [
            # The attempts of one delivery, for the log of a run.
            models.Index(fields=["delivery_id", "id"], name="attempts_of_one_delivery"),
            # Attempts by month, for the archive.
            models.Index(fields=["answered_at"], name="attempts_by_time"),
            # What an account has spent since its channel told what was used.
            models.Index(
                fields=["account_id", "answered_at"],
                condition=models.Q(billed__gt=0),
                name="attempts_that_cost",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room_name} · {self.part + 1} · {self.get_outcome_display()}"
