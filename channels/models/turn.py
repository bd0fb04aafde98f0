"""Whose turn it is at a device that takes one message at a time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.moments import written


class Turn(models.Model):
    """Who may send now, and until when at the latest: a lease that outlives its holder."""

    # Two accounts may name one device: they take turns at it.
    device = models.CharField(_("device"), max_length=255, unique=True)
    holder = models.UUIDField(
        null=True, help_text=_("The key of the part that is being sent; none during a pause.")
    )
    until = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")

    def __str__(self) -> str:
        return f"{self.device} · {written(self.until, 'UTC')}"
