"""Whose turn it is at an account that takes one message at a time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.reach import Belongs, Role


class Turn(models.Model):
    """Who may send now, and until when at the latest: a lease that outlives its holder."""

    reach = Belongs("account__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    account = models.OneToOneField(Account, models.CASCADE, related_name="turn")
    holder = models.UUIDField(
        null=True, help_text=_("The key of the part that is being sent; none during a pause.")
    )
    until = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")

    def __str__(self) -> str:
        return f"{self.account_id} · {self.until:%H:%M:%S}"
