"""What a person has left as it is: not confirmed, looked at, and off the top of the worklist."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.moments import written
from orgs.reach import Belongs
from schedules.models.delivery import Delivery


class LeftOpen(models.Model):
    """Of one delivery, and of one doubt about it: a newer doubt is to be decided anew."""

    reach = Belongs("delivery__unit_path")

    delivery = models.OneToOneField(
        Delivery, models.CASCADE, primary_key=True, related_name="left_open"
    )
    completed_at = models.DateTimeField(
        help_text=_("When the doubt arose: the delivery’s own, as the person saw it.")
    )
    at = models.DateTimeField(_("left"))
    # By value, as in the history.
    by = models.CharField(_("left by"), max_length=150)
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("left open")
        verbose_name_plural = _("left open")

    def __str__(self) -> str:
        return f"{self.by} · {written(self.at, 'UTC')}"
