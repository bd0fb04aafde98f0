"""Whether the archive still is what was put into it."""

import json
from collections.abc import Iterator

from schedules.archive import files
from schedules.archive.put import Progress, facts_of
from schedules.models import ArchivedMonth, ArchivedRun


def check(progress: Progress) -> Iterator[str]:
    """What is wrong with the archive, in words; every month's file is read as a whole."""
    for month in ArchivedMonth.objects.filter(removed_at=None).order_by("month"):
        yield from _members(month)
        yield from _manifest(month)
        progress(1)


def _members(month: ArchivedMonth) -> Iterator[str]:
    names = ("starts_at", "length", "digest")
    rows = ArchivedRun.objects.filter(month=month).order_by("starts_at")
    end = 0
    for values in rows.values_list(*names).distinct():
        place = files.Place(*values)
        if place.starts_at != end:
            yield f"{month}: the database names no run for bytes {end} to {place.starts_at}."
        if problem := files.problem_with(month.month, place):
            yield problem
        end = place.starts_at + place.length
    if rows.count() != month.runs:
        yield f"{month}: {month.runs} runs were archived, and {rows.count()} are named."


def _manifest(month: ArchivedMonth) -> Iterator[str]:
    if not month.runs:
        return
    path = files.manifest_of(month.month)
    try:
        said = json.loads(path.read_text())
    except (OSError, ValueError):
        yield f"{path} cannot be read: archive_logs writes it anew when it archives that month."
        return
    facts = facts_of(month)
    data = files.path_of(month.month)
    if {name: said.get(name) for name in facts} != facts:
        yield f"{path} does not say what the database knows."
    elif data.exists() and said.get("sha256") != files.digest_of(data):
        yield f"{path} names another checksum than its file has."
