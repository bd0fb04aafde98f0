"""What was taken over from older systems, so that nothing is taken twice."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LegacyRow(models.Model):
    """One row of an older system's table, and what it has become here. By value: what it became
    may be deleted, and is not to come back with the next import."""

    source = models.CharField(_("source"), max_length=50)
    table = models.CharField(_("table"), max_length=30)
    legacy_id = models.CharField(_("id there"), max_length=40)
    object_id = models.BigIntegerField(
        _("id here"), help_text=_("Of the schedule; of a row of a log, of the run.")
    )
    digest = models.CharField(max_length=64, help_text=_("Of what was read: has it changed since?"))
    imported_at = models.DateTimeField(_("imported"))

    class Meta:
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        constraints = [
            # Also the index by which an import asks what it knows.
            models.UniqueConstraint(
                fields=["source", "table", "legacy_id"], name="each_legacy_row_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.table} {self.legacy_id}"
