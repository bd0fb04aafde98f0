"""`manage.py audit`: what it says, and its exit status."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction

from logs import history
from logs.chain.guard import lifted
from logs.models import History
from orgs.clock import database_now
from tests.conftest import World


def audit(*words: Any) -> tuple[int, str]:
    """Exit status and what was printed."""
    out = StringIO()
    try:
        call_command("audit", *words, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def head(world: World) -> str:
    """The head of a history with three entries."""
    for verb in ("created", "updated", "deleted"):
        history.record(verb, world.xinyi, by=None, now=database_now(), unit_path="0001")
    return audit("head")[1].strip()


def test_a_whole_history_is_said_to_be_so(head: str) -> None:
    assert head.startswith("3:")
    status, words = audit("verify", "--head", head)
    assert status == 0
    assert "The history is whole." in words and head in words


def test_what_is_not_sealed_yet_is_counted(head: str, world: World) -> None:
    history.record("updated", world.xinyi, by=None, now=database_now(), unit_path="0001")
    assert "1 entries are not sealed yet" in audit("verify")[1]
    assert json.loads(audit("verify", "--json")[1])["waiting"] == 1


def test_a_history_that_is_not_whole_ends_with_1_and_names_the_entry(head: str) -> None:
    entry = History.objects.get(verb="updated")
    with transaction.atomic(), lifted():
        History.objects.filter(pk=entry.pk).update(actor="nobody")
    status, words = audit("verify")
    assert status == 1
    assert f"ALTERED entry {entry.pk} (seal 2): its digest" in words and "NOT whole" in words
    status, line = audit("verify", "--json")
    facts = json.loads(line)
    assert (status, facts["whole"], facts["wrong"]) == (1, False, 1)
    assert facts["findings"][0]["entry_id"] == entry.pk


def test_a_head_that_the_chain_does_not_hold_ends_with_1(head: str) -> None:
    status, words = audit("verify", "--head", f"2:{'0' * 64}")
    assert status == 1 and "HEAD ALTERED (seal 2)" in words


def test_a_head_that_is_none_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="audit head"):
        audit("verify", "--head", "abc")


def test_a_database_that_does_not_answer_ends_with_2(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("config.management.commands.audit.verify", fail)
    with pytest.raises(CommandError, match="could not be read: gone") as caught:
        audit("verify")
    assert caught.value.returncode == 2
