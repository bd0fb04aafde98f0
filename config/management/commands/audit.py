"""`manage.py audit verify`: whether the history still is what was written."""

import argparse
import json
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from logs.chain.seal import seal_all
from logs.chain.verify import Finding, Mark, Report, verify
from logs.models import Chain
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.progress import Bar

TAMPERED = 1  # exit status
SHOWN = 20  # findings in words; --json has more


class Command(command.Command):
    help = "Check the chain of the history (exit status 0: whole, 1: not, 2: could not be checked)."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        check = what.add_parser("verify", help="Read all of it, and name what is not as it was.")
        check.add_argument(
            "--head", type=_mark, metavar="NUMBER:DIGEST",
            help="One that was noted elsewhere: the chain must still hold it.",
        )  # fmt: skip
        head = what.add_parser("head", help="Seal what is settled; print the head, to be noted.")
        for parts in (check, head):
            parts.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        try:
            report = _sealed() if what == "head" else _verified(options["head"])
        except DatabaseError as error:
            words = f"The history could not be read: {error}"
            raise CommandError(words, returncode=FAILED) from error
        words = _written(report.head) if what == "head" else _words(report)
        self.stdout.write(json.dumps(_facts(report)) if options["json"] else words)
        if report.wrong:
            sys.exit(TAMPERED)


def _mark(text: str) -> Mark:
    number, _colon, digest = text.partition(":")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError("like 1234:9f86d081…, as “audit head” prints it")
    return Mark(int(number), digest)


def _sealed() -> Report:
    seal_all()
    chain = Chain.objects.get()
    return Report(head=Mark(chain.number, chain.digest))


def _verified(noted: Mark | None) -> Report:
    chain = Chain.objects.first()
    bar = Bar("entries", chain.number - chain.base_number if chain else 0)
    return verify(noted, count=bar)


def _facts(report: Report) -> dict[str, Any]:
    since = report.waiting_since
    return {
        "whole": not report.wrong,
        "checked": report.checked,
        "head": _written(report.head),
        "pruned": report.pruned,
        "waiting": report.waiting,
        "waiting_since": since.isoformat() if since else None,
        "wrong": report.wrong,
        "findings": [{**found._asdict(), "why": found.why} for found in report.findings],
    }


def _written(head: Mark) -> str:
    return f"{head.number}:{head.digest}"


def _words(report: Report) -> str:
    lines = [_line(finding) for finding in report.findings[:SHOWN]]
    if report.wrong > SHOWN:
        lines.append(f"… and {report.wrong - SHOWN} more: see --json.")
    if report.wrong:
        lines.append(f"The history is NOT whole: {report.wrong} findings.")
    else:
        lines.append("The history is whole.")
    lines.append(f"{report.checked} sealed entries were checked; the head is")
    lines.append(_written(report.head))
    if report.pruned:
        lines.append(f"The first {report.pruned} entries were pruned.")
    if report.waiting_since:
        since = report.waiting_since.isoformat(" ", "seconds")
        lines.append(f"{report.waiting} entries are not sealed yet, the oldest of {since}.")
    return "\n".join(lines)


def _line(found: Finding) -> str:
    entry = "" if found.entry_id is None else f" entry {found.entry_id}"
    place = "" if found.number is None else f" (seal {found.number})"
    return f"{found.fault.value.upper()}{entry}{place}: {found.why}"
