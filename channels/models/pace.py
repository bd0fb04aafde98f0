"""The pace of an account at one of its channel's endpoints, shared by all workers."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.reach import Belongs, Role


class Pace(models.Model):
    """Until when the requests that were allowed so far take, at the endpoint's rate."""

    reach = Belongs("account__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    account = models.ForeignKey(Account, models.CASCADE, related_name="paces")
    endpoint = models.CharField(_("endpoint"), max_length=30)
    # A number, so that it is counted on in one statement: seconds since 1970.
    booked_until = models.FloatField(default=0.0)

    class Meta:
        verbose_name = _("pace")
        verbose_name_plural = _("paces")
        constraints = [
            models.UniqueConstraint(fields=["account", "endpoint"], name="one_pace_per_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} · {self.endpoint}"
