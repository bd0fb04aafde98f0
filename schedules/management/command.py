"""What the commands share: programs read their answer, also where they fail."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

FAILED = 2  # exit status
NOT_RIGHT = "The arguments are not right: standard error says why."


class Command(BaseCommand):
    """With --json the output is one line of JSON, where it fails {"error": why}. Standard error
    has the words as ever. A database that is away is no traceback."""

    _is_begun = False

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except SystemExit as end:
            if end.code and "--json" in argv and not self._is_begun:
                self._fail(NOT_RIGHT)
            raise

    def execute(self, *args: Any, **options: Any) -> Any:
        self._is_begun = True
        try:
            return self._execute(*args, **options)
        except CommandError as error:
            if options.get("json"):
                self._fail(str(error))
            raise

    def _execute(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute(*args, **options)
        except (OperationalError, InterfaceError) as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error

    def _fail(self, why: str) -> None:
        self.stdout.write(json.dumps({"error": why}, ensure_ascii=False))
