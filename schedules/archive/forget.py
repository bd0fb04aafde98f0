"""Removes the oldest months of the archive."""

from datetime import datetime

from django.db import transaction

from schedules.archive import files
from schedules.archive.months import to_forget
from schedules.models import ArchivedMonth, ArchivedRun


def forget(now: datetime, *, keep: int) -> list[ArchivedMonth]:
    """Remove what is older than the last `keep` whole months (0: nothing); returns them. Also the
    files of months that were forgotten by who did not live to remove them."""
    removed = to_forget(now, keep=keep)
    for month in removed:
        with transaction.atomic():
            ArchivedRun.objects.filter(month=month).delete()
            ArchivedMonth.objects.filter(pk=month.pk).update(
                removed_at=now, bytes=0, runs=0, deliveries=0, attempts=0
            )
    for month in ArchivedMonth.objects.filter(removed_at__isnull=False):
        files.remove(month.month)
    return removed
