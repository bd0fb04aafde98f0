"""manage.py second_factor: which second factors a person has, and removing lost ones."""

import json
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from config.sign_in import records
from orgs.models import User
from orgs.moments import written
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.operator import as_command, operator


class Command(command.Command):
    help = "Say which second factors a person has; with --remove, remove all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the person's user name")
        parser.add_argument(
            "--remove",
            action="store_true",
            help="remove all, with the recovery codes, and sign the person out everywhere: "
            "for one who has lost them. Make sure first that it is they who ask.",
        )
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *, name: str, remove: bool, **options: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"Nobody has the user name “{name}”.", returncode=FAILED)
        found = list(Authenticator.objects.filter(user=user).order_by("pk"))
        factors = [_facts(factor) for factor in found]
        is_removed = remove and bool(found)
        if is_removed:
            _remove(user, found)
        if options["json"]:
            facts = {"user": name, "factors": factors, "removed": is_removed}
            self.stdout.write(json.dumps(facts, ensure_ascii=False, default=str))
        else:
            self.stdout.write("\n".join(_lines(name, factors, is_removed=is_removed)))


def _facts(factor: Authenticator) -> dict[str, Any]:
    is_named = factor.type == Authenticator.Type.WEBAUTHN
    named = str(factor) if is_named else ""
    return {"kind": factor.type, "name": named, "last_used_at": factor.last_used_at}


def _lines(name: str, factors: list[dict[str, Any]], *, is_removed: bool) -> list[str]:
    lines = []
    for one in factors:
        used = one["last_used_at"]
        last = f"last used {written(used, 'UTC')}" if used else "never used"
        named = f" “{one['name']}”" if one["name"] else ""
        lines.append(f"{one['kind']}{named}, {last}")
    if is_removed:
        lines.append("Removed. The person is signed out everywhere.")
    return lines or [f"{name} has no second factor."]


@transaction.atomic
def _remove(user: User, found: list[Authenticator]) -> None:
    kinds = [factor.type for factor in found]
    Authenticator.objects.filter(user=user).delete()
    records.end_sessions(user)
    with as_command():
        records.note("factor_removed", user, by=operator(), through=kinds)
