"""A run that a person holds while it is under way."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.models import Unit
from orgs.reach import Belongs
from schedules.models.run import Run


class RunPause(models.Model):
    """There while it holds: nothing more of the run is handed over. The history keeps it."""

    reach = Belongs("run__unit_path")

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="pause")
    paused_at = models.DateTimeField(_("paused"))
    paused_by = models.CharField(_("paused by"), max_length=150)
    # The unit of whoever paused it: who stands below does not let it go on.
    placed_from = models.ForeignKey(Unit, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("pause of a run")
        verbose_name_plural = _("pauses of runs")

    def __str__(self) -> str:
        return str(self.run_id)
