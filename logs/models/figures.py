"""Figures of days, and how far they have been counted."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.reach import Belongs, Role


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
