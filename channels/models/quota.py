"""What an account may send in a month, as its channel last told."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.clock import Month, month_around
from orgs.reach import Belongs, Role


class QuotaReading(models.Model):
    """The last answer to “how much of the month is used”; of each account that meters one row.

    Who plans what is billed holds this row meanwhile: of two plans the second sees the first.
    """

    # To use it is to learn what is left, which who sends through a shared account must know.
    reach = Belongs("account__unit__path", write=Role.MANAGER, shared="account__is_shared")

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="quota", verbose_name=_("account")
    )
    limit = models.PositiveIntegerField(
        _("limit"), null=True, help_text=_("Of a month. Empty: as many as it likes.")
    )
    used = models.PositiveIntegerField(
        _("used"), default=0, help_text=_("In the month of the reading, by whatever tool.")
    )
    foreign_labels = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text=_("Labels that other tools have used in the month of the reading."),
    )
    read_at = models.DateTimeField(_("read"), null=True)
    tried_at = models.DateTimeField(_("asked"))
    error = models.TextField(_("why it could not be read"), blank=True)

    class Meta:
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        ordering = ["account_id"]

    def __str__(self) -> str:
        return f"{self.account_id} · {self.used}"

    def month(self, moment: datetime) -> Month:
        """The channel's month around this moment."""
        return month_around(moment, self.account.quota_zone)

    def used_of(self, month: Month) -> tuple[int, datetime]:
        """What the channel told of this month; and since when what we sent must be added. Of a
        month that was not read yet that is all of it: at its turn nothing is used."""
        if self.read_at is None or self.read_at < month.start:
            return 0, month.start
        return self.used, self.read_at

    def foreign_labels_of(self, month: Month) -> int:
        """How many labels of this month others have taken, as far as the channel told."""
        return self.foreign_labels if self.read_at and self.read_at >= month.start else 0
