"""What happened: append-only rows that hold names and ids by value and outlive their objects."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.reach import Belongs, Role


class AppendOnly(models.Model):
    """A row that is written once."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{type(self).__name__} is append-only.")


class History(AppendOnly):
    """Who did what to which object, when, from where, and what changed."""

    reach = Belongs("unit_path", view=Role.VIEWER, write=Role.MANAGER)

    at = models.DateTimeField(_("at"))
    actor_id = models.BigIntegerField(null=True)
    actor = models.CharField(_("who"), max_length=150, help_text=_("Empty: the machine itself."))
    via = models.CharField(_("through"), max_length=20)
    address = models.CharField(_("from"), max_length=45, blank=True)
    verb = models.CharField(_("did"), max_length=30)
    kind = models.CharField(_("kind"), max_length=30)
    object_id = models.CharField(max_length=40)
    object_name = models.CharField(_("object"), max_length=255)
    unit_path = models.CharField(max_length=255)
    changes = models.JSONField(_("changes"), default=dict, blank=True)

    class Meta:
        verbose_name = _("history entry")
        verbose_name_plural = _("history entries")
        ordering = ["-id"]
        indexes = [
            # The history of one object, newest first.
            models.Index(fields=["kind", "object_id", "-id"], name="history_of_one_object"),
            # The history within a subtree: a prefix comparison on PostgreSQL.
            models.Index(
                fields=["unit_path"], name="history_by_unit", opclasses=["varchar_pattern_ops"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor or 'Teiji'} {self.verb} {self.object_name}"


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
    schedule_title = models.CharField(max_length=255)
    room_id = models.BigIntegerField(null=True)
    audience_id = models.BigIntegerField(null=True)
    room_name = models.CharField(max_length=100)
    unit_path = models.CharField(max_length=255)
    channel = models.CharField(max_length=30)
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
    request_id = models.CharField(_("request id"), max_length=100, blank=True)
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


class Punctuality(models.Model):
    """How late a day's deliveries were, of a unit and all under it, through one channel.

    Deliveries belong to the day of their appointed time, in the zone that the unit had when they
    were counted. The empty path stands for all units; its days are those of TEIJI_ZONE.
    """

    reach = Belongs("unit_path", write=Role.MANAGER)

    unit_path = models.CharField(max_length=255, blank=True)
    day = models.DateField(_("day"))
    channel = models.CharField(_("channel"), max_length=30)
    count = models.PositiveIntegerField(_("deliveries"))
    early = models.PositiveIntegerField(_("early"))
    total_ms = models.BigIntegerField()
    # {upper edge of a bucket in ms: deliveries}, and [[lateness in ms, attempt's id]]: the worst.
    counts = models.JSONField(default=dict)
    worst = models.JSONField(default=list)

    class Meta:
        verbose_name = _("punctuality")
        verbose_name_plural = _("punctuality")
        ordering = ["unit_path", "day", "channel"]
        constraints = [
            # Also the index by which the last days of one unit are read.
            models.UniqueConstraint(
                fields=["unit_path", "day", "channel"], name="one_punctuality_per_unit_and_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} · {self.channel}"


class Billing(models.Model):
    """How many billed messages a day's deliveries were, of a unit and all under it.

    Days are those of the appointed time in the unit's zone, as with Punctuality.
    """

    reach = Belongs("unit_path", write=Role.MANAGER)

    unit_path = models.CharField(max_length=255)
    day = models.DateField(_("day"))
    messages = models.PositiveBigIntegerField(_("billed messages"))

    class Meta:
        verbose_name = _("billing")
        verbose_name_plural = _("billing")
        ordering = ["unit_path", "day"]
        constraints = [
            # Also the index by which the days of a unit's month are read.
            models.UniqueConstraint(fields=["unit_path", "day"], name="one_billing_per_unit_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} · {self.messages}"


class Tally(models.Model):
    """How far the attempts have been counted, and what was counted since ever. One row.

    Ids are given before their rows can be seen: those up to `seen_id`, the last one at
    `seen_at`, are counted when every transaction of that time has ended.
    """

    counted_id = models.BigIntegerField(default=0)
    seen_id = models.BigIntegerField()
    seen_at = models.DateTimeField()
    since_ever = models.JSONField(default=dict)  # {channel: figures}

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        return str(self.counted_id)
