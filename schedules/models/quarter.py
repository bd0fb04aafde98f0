"""What became of the deliveries of each quarter of an hour, and how far that has been counted."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.moments import written
from orgs.reach import Belongs, Role


class Strategy(models.TextChoices):
    """Who of a run's targets gets it when."""

    IMMEDIATE = "immediate", _("all at once")


class QuarterCount(models.Model):
    """What became of the deliveries that were appointed for one quarter of an hour, of a unit and
    all under it. Tests are left out.

    Every zone is some quarters of an hour away from UTC: the days of any reader are sums of
    quarters. The empty path stands for all units.
    """

    reach = Belongs("unit_path", write=Role.MANAGER)

    unit_path = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField(_("from"))
    channel = models.CharField(_("channel"), max_length=30)
    kind = models.CharField(_("type"), max_length=10, blank=True)
    strategy = models.CharField(_("strategy"), max_length=12, choices=Strategy.choices)
    sent = models.PositiveIntegerField(_("sent"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    unconfirmed = models.PositiveIntegerField(_("not confirmed"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)

    class Meta:
        verbose_name = _("quarter of an hour")
        verbose_name_plural = _("quarters of an hour")
        ordering = ["unit_path", "at"]
        constraints = [
            # Also the index by which the last weeks of one unit are read.
            models.UniqueConstraint(
                fields=["unit_path", "at", "channel", "kind", "strategy"],
                name="one_count_per_unit_and_quarter",
            ),
        ]
        indexes = [
            # All units of a quarter, which are counted anew together.
            models.Index(fields=["at"], name="counts_of_one_quarter"),
        ]

    def __str__(self) -> str:
        return f"{written(self.at, 'UTC')} · {self.channel}"


class Recount(models.Model):
    """A quarter that was counted, and in which something has changed since. Each who changes
    something writes a row of their own: one that was there already could be taken by a count
    that does not see the change yet."""

    at = models.DateTimeField()

    class Meta:
        verbose_name = _("quarter to count again")
        verbose_name_plural = _("quarters to count again")

    def __str__(self) -> str:
        return written(self.at, "UTC")


class QuartersCounted(models.Model):
    """How far the quarters have been counted: those before `until`. One row."""

    until = models.DateTimeField()
    # Of the last turn: whoever reads while it goes on reads again.
    turn = models.BigIntegerField(default=0)
    turned_at = models.DateTimeField()

    class Meta:
        verbose_name = _("quarters counted")
        verbose_name_plural = _("quarters counted")

    def __str__(self) -> str:
        return written(self.until, "UTC")
