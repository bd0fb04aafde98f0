"""manage.py why: what a person may do in a unit, or to an object, and because of what."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import translation

from config.organisation.why import ASKED, MODELS, OF_ONE, Asked
from orgs.models import Token, Unit, User
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.named import unit_named

NO = 1  # exit status
ALL = (*ASKED, *(name for name in OF_ONE if name not in ASKED))


class Command(command.Command):
    help = "Say what a person may do in a unit or to an object, and by which role and unit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the person's user name")
        parser.add_argument(
            "unit", help=f"a unit's code or id, or an object as room:12 ({', '.join(MODELS)})"
        )
        parser.add_argument("act", nargs="?", choices=ALL, help="only this; exit status 1: no")
        parser.add_argument("--token", help="through the API with this token, by its name")
        parser.add_argument("--json", action="store_true", help="one line of JSON")

    def handle(
        self, *, user: str, unit: str, act: str | None, token: str | None, **options: Any
    ) -> None:
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(f"There is no user {user}.", returncode=FAILED)
        place, row = _place(unit)
        asked = Asked(person, place, row, _token(person, token) if token else None)
        with translation.override("en"):
            answers = [one for one in asked.answers() if act in (None, one.name)]
            if not answers:
                raise CommandError(f"“{act}” is not asked of this.", returncode=FAILED)
            notes = list(asked.notes())
        if options["json"]:
            facts = {"answers": [asdict(one) for one in answers], "notes": notes}
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        else:
            verdicts = [(one.name, "yes" if one.may else "no", one.because) for one in answers]
            lines = [f"{name:9} {verdict:4} {because}" for name, verdict, because in verdicts]
            self.stdout.write("\n".join([*lines, *notes]))
        if act and not answers[0].may:
            sys.exit(NO)


def _place(given: str) -> tuple[Unit, Any]:
    kind, colon, key = given.partition(":")
    if not colon:
        return unit_named(given), None
    row: Any = (
        MODELS[kind]._default_manager.filter(pk=key).first() if _is_object(kind, key) else None
    )
    if row is None:
        raise CommandError(f"There is no “{given}”.", returncode=FAILED)
    return row.unit, row


def _is_object(kind: str, key: str) -> bool:
    return kind in MODELS and key.isascii() and key.isdecimal() and len(key) < 19


def _token(person: User, name: str) -> Token:
    found = Token.objects.filter(user=person, name=name).first()
    if found is None:
        raise CommandError(f"{person} has no token “{name}”.", returncode=FAILED)
    return found
