"""The labels under which channels count what people did with messages."""

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.reach import Belongs

MOST_A_MONTH = 1000  # of any channel
COUNTED_DAYS = timedelta(days=30)  # after the first one: as many as a channel adds up


class LabelQuerySet(models.QuerySet["Label"]):
    def to_ask(self, yesterday: date) -> "LabelQuerySet":
        """Those of which the channel has counted a day that it was not asked about."""
        begun = self.filter(started_on__lte=yesterday, started_on__gt=yesterday - 2 * COUNTED_DAYS)
        new = Q(counted_until__lt=yesterday) & Q(counted_until__lt=F("ends_on"))
        return begun.filter(Q(counted_until=None) | new)


class Label(models.Model):
    """One label in one month of its account's channel, which counts so many of them and no more:
    each takes a number. What is told of it is kept here."""

    reach = Belongs("unit_path")

    account = models.ForeignKey(Account, models.CASCADE, verbose_name=_("account"))
    unit_path = models.CharField(max_length=255)
    month = models.DateField(_("month"), help_text=_("Its first day, in the channel’s zone."))
    name = models.CharField(_("label"), max_length=30)
    number = models.PositiveSmallIntegerField(_("number"))
    # The days of the channel's zone that are counted under it. Those of one name never overlap.
    started_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    opened = models.PositiveIntegerField(
        _("people who opened it"), null=True, help_text=_("Empty: too few to be told.")
    )
    clicked = models.PositiveIntegerField(_("people who followed a link"), null=True)
    counted_until = models.DateField(_("counted until"), null=True)
    tried_at = models.DateTimeField(_("asked"), null=True)
    error = models.TextField(_("why it could not be read"), blank=True)

    objects = LabelQuerySet.as_manager()

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["-started_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "month", "name"], name="one_label_per_name_and_month"
            ),
            models.UniqueConstraint(
                fields=["account", "month", "number"], name="one_label_per_number"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=MOST_A_MONTH),
                name="so_many_labels_a_month",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("started_on")), name="label_ends_after_it_starts"
            ),
        ]
        indexes = [
            # Those of which something may be new.
            models.Index(fields=["started_on"], name="labels_by_first_day"),
            # One label through the months, for the pages of its schedules.
            models.Index(fields=["name", "account", "started_on"], name="labels_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.month:%Y-%m}"
