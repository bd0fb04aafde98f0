"""Removes the oldest entries: the one way that leaves the chain whole."""

from datetime import datetime
from typing import Any

from django.db import transaction

from logs import history
from logs.chain.guard import lifted
from logs.chain.seal import begin
from logs.chain.verify import PRUNED, Finding, beginning, walk
from logs.models import Chain, History, Seal
from orgs.models import Unit


class TamperedError(Exception):
    """What would be removed is not what was sealed; to remove it would hide that."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__("Entries are not as they were sealed: see manage.py audit verify.")


@transaction.atomic
def prune(before: datetime, *, by: Any | None, now: datetime) -> int:
    """Remove the sealed entries from before this moment, up to the first that is not; returns
    how many. The chain begins after them, and its history says so. Raises TamperedError."""
    begin(now)
    chain = Chain.objects.select_for_update().get()
    last = _last_before(before)
    if last is None:
        return 0
    findings = [*beginning(chain), *walk(chain, last.number)]
    if findings:
        raise TamperedError(findings)
    removed = last.number - chain.base_number
    chain.base_number, chain.base_digest = last.number, last.digest
    chain.base_entry_id = last.entry_id
    chain.save()
    with lifted():
        # Their models refuse; and nothing hangs on them that Django would have to look for.
        for old in (History.objects.filter(id__lte=last.entry_id),
                    Seal.objects.filter(number__lte=last.number)):  # fmt: skip
            old._raw_delete(old.db)
    facts = {"entries": removed, "number": last.number, "digest": last.digest}
    for path in Unit.objects.filter(depth=1).values_list("path", flat=True):
        history.record(PRUNED, chain, by=by, now=now, unit_path=path, changes=facts)
    return removed


def _last_before(before: datetime) -> Seal | None:
    """The seal of the last entry before the first one from this moment on."""
    kept = History.objects.filter(at__gte=before).order_by("id").first()
    seals = Seal.objects.order_by("-number")
    return (seals.filter(entry_id__lt=kept.pk) if kept else seals).first()
