"""How many messages of a day a channel says it has delivered, beside what we handed over."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.reach import Belongs, Role


class DayCountQuerySet(models.QuerySet["DayCount"]):
    def to_ask(self, before: datetime) -> "DayCountQuerySet":
        """Those that are open and were not asked about since then."""
        return self.filter(Q(tried_at=None) | Q(tried_at__lte=before), is_open=True)


class DayCount(models.Model):
    """One endpoint of an account on one day of its channel's zone."""

    reach = Belongs("account__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    account = models.ForeignKey(Account, models.CASCADE, verbose_name=_("account"))
    day = models.DateField(_("day"), help_text=_("In the channel’s zone."))
    endpoint = models.CharField(_("sent as"), max_length=20)
    handed = models.PositiveIntegerField(
        _("handed over"), help_text=_("Messages of ours that the channel accepted, by person.")
    )
    told = models.PositiveIntegerField(
        _("as the channel says"), null=True, help_text=_("Empty: it has not told, or never will.")
    )
    is_open = models.BooleanField(default=True, help_text=_("The channel is still asked."))
    tried_at = models.DateTimeField(_("asked"), null=True)
    error = models.TextField(_("why it could not be read"), blank=True)

    objects = DayCountQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of a day")
        verbose_name_plural = _("counts of days")
        ordering = ["-day", "endpoint", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "day", "endpoint"], name="one_count_per_day_and_endpoint"
            ),
        ]
        indexes = [
            # What the channels are still to be asked.
            models.Index(fields=["tried_at"], condition=Q(is_open=True), name="counts_to_ask"),
        ]

    def __str__(self) -> str:
        return f"{self.day} · {self.endpoint}"

    @property
    def zone(self) -> str:
        """In which its day begins and ends."""
        return self.account.quota_zone

    @property
    def fewer(self) -> int | None:
        """How many messages less the channel says than we handed over; None: it has not told."""
        return None if self.told is None else self.handed - self.told

    @property
    def more(self) -> int:
        """The opposite, for words."""
        return -(self.fewer or 0)
