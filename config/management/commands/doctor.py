"""`manage.py doctor`: what is wrong with this installation, and what to do."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from config.doctor import Finding, Level, examine
from schedules.management import command
from schedules.management.progress import Status

STATUS = {Level.WARNING: 1, Level.ERROR: 2}


class Command(command.Command):
    help = (
        "Examine this installation, also when its database is down. Exit status 0: all is well, "
        "1: something should be looked at, 2: something is wrong."
    )
    requires_system_checks = ()  # they are one of its examinations

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        worst = 0
        found: dict[str, Finding] = {}
        status = Status()
        for name, finding in examine(lambda name: status(f"{name} …")):
            status.end()
            found[name] = finding
            worst = max(worst, STATUS.get(finding.level, 0))
            if not options["json"]:
                self._say(name, finding)
        if options["json"]:
            facts = {name: asdict(finding) for name, finding in found.items()}
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        if worst:
            sys.exit(worst)

    def _say(self, name: str, finding: Finding) -> None:
        styles = {Level.OK: self.style.SUCCESS, Level.ERROR: self.style.ERROR}
        word = styles.get(finding.level, self.style.WARNING)(f"{finding.level:<8}")
        self.stdout.write(f"{word} {name:<14} {finding.said}".rstrip())
        if finding.advice:
            self.stdout.write(f"{'':<23} → {finding.advice}")
