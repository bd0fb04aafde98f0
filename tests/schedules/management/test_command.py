"""However a command ends, whoever called it can go by that: a program, a pipe, a person."""

import json
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from config.management.commands import why
from tests.processes.machine import ROOT


def test_what_fails_is_an_answer_to_programs_too(db, manage):
    said = manage("fence", "--lift", "--json")
    assert (said.status, said.json) == (2, {"error": "Sending is not stopped."})
    assert "Sending is not stopped." in said.err
    assert manage("fence", "--lift").out == ""


def test_wrong_arguments_are_an_answer_to_programs_too(capsys):
    with pytest.raises(SystemExit) as end:
        why.Command().run_from_argv(["manage.py", "why", "--json"])
    assert end.value.code == 2
    said = capsys.readouterr()
    assert "error" in json.loads(said.out) and "usage:" in said.err


def test_a_database_that_is_away_is_said_by_every_command(monkeypatch):
    def away(*_words, **_options):
        raise OperationalError("no server")

    monkeypatch.setattr(why.Command, "handle", away)
    out = StringIO()
    with pytest.raises(CommandError, match="does not answer: no server") as caught:
        call_command("why", "kim", "xinyi", "--json", stdout=out, skip_checks=True)
    assert caught.value.returncode == 2
    assert json.loads(out.getvalue()) == {"error": str(caught.value)}


def run(*words: str, stdout: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *words], check=False, cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=100,
    )  # fmt: skip


@pytest.mark.timeout(120)
def test_output_that_nobody_reads_on_is_no_traceback():
    read_end, write_end = os.pipe()
    os.close(read_end)
    ended = run("help", stdout=write_end)
    os.close(write_end)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.timeout(120)
def test_ctrl_c_is_no_traceback():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    ended = run("shell", "--no-imports", "--command", code, stdout=subprocess.DEVNULL)
    assert (ended.returncode, ended.stderr.strip()) == (130, "Stopped.")
