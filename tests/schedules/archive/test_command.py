"""`manage.py archive_logs`."""

import pytest

from logs.models import History
from schedules.models import ArchivedMonth, ArchivedRun, Run

pytestmark = pytest.mark.django_db


def test_what_is_older_than_the_log_keeps_is_moved_and_noted(old, manage, root):
    old()
    moved = manage("archive_logs", "--json").json["archived"]
    assert moved == {"2024-07": {"runs": 1, "deliveries": 1, "attempts": 2, "left": 0}}
    assert not Run.objects.exists()
    entry = History.objects.get(verb="archived")
    assert (entry.via, entry.changes["month"]) == ("command", "2024-07")
    assert manage("archive_logs").out == "Nothing is old enough.\n"


def test_a_trial_moves_and_removes_nothing(old, manage, root, settings):
    old()
    said = manage("archive_logs", "--dry-run")
    assert said.out == "2024-07: up to 1 runs would move into the archive.\n"
    assert Run.objects.exists() and not root.exists()


@pytest.mark.parametrize("month", ["2024-13", "July", "2024-7-1", "9999-12"])
def test_a_bad_month_is_named(old, manage, month):
    said = manage("archive_logs", "--month", month)
    assert said.status == 2 and f"“{month}” is not a month" in said.err


def test_a_young_month_is_refused_before_anything_moves(old, manage):
    old()
    said = manage("archive_logs", "--month", "2024-07", "--month", "2999-01")
    assert said.status == 2 and "too young" in said.err
    assert Run.objects.exists()


def test_a_whole_archive_is_said_to_be_so_and_what_is_wrong_is_named(old, manage, root):
    old()
    manage("archive_logs")
    assert manage("archive_logs", "--check").out == "The archive is whole: 1 months.\n"
    file = root / "2024-07.jsonl.gz"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    said = manage("archive_logs", "--check", "--json")
    assert said.status == 1
    assert any(str(file) in problem for problem in said.json["problems"])


def test_a_row_that_was_slipped_out_of_the_archive_is_found(old, manage):
    old(), old()
    manage("archive_logs")
    ArchivedRun.objects.first().delete()
    said = manage("archive_logs", "--check")
    assert said.status == 1 and "2 runs were archived, and 1 are named" in said.out


def test_what_the_retention_no_longer_keeps_is_removed_with_its_file(old, manage, root, settings):
    old()
    manage("archive_logs")
    settings.TEIJI_ARCHIVE_MONTHS = 200
    assert manage("archive_logs").out == "Nothing is old enough.\n"
    settings.TEIJI_ARCHIVE_MONTHS = 14
    said = manage("archive_logs", "--dry-run")
    assert said.out == "2024-07: 1 runs would be removed from the archive.\n"
    said = manage("archive_logs")
    assert said.out == "2024-07: removed from the archive, 1 runs.\n"
    assert not ArchivedRun.objects.exists() and list(root.iterdir()) == []
    assert ArchivedMonth.objects.get().removed_at is not None
    assert History.objects.filter(verb="archive_removed").count() == 1
    assert manage("archive_logs", "--check").out == "The archive is whole: 0 months.\n"
