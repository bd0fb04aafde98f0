"""manage.py second_factor: which second factors a person has, and removing lost ones."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from config.sign_in import records
from orgs.models import User
from orgs.moments import written
from schedules.management.operator import as_command, operator


class Command(BaseCommand):
    help = "Say which second factors a person has; with --remove, remove all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the person's user name")
        parser.add_argument(
            "--remove",
            action="store_true",
            help="remove all, with the recovery codes, and sign the person out everywhere: "
            "for one who has lost them. Make sure first that it is they who ask.",
        )

    def handle(self, *, name: str, remove: bool, **options: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"Nobody has the user name “{name}”.")
        found = list(Authenticator.objects.filter(user=user).order_by("pk"))
        if not found:
            self.stdout.write(f"{name} has no second factor.")
            return
        for factor in found:
            used = factor.last_used_at
            last = f"last used {written(used, 'UTC')}" if used else "never used"
            name = f" “{factor}”" if factor.type == Authenticator.Type.WEBAUTHN else ""
            self.stdout.write(f"{factor.type}{name}, {last}")
        if remove:
            _remove(user, found)
            self.stdout.write("Removed. The person is signed out everywhere.")


@transaction.atomic
def _remove(user: User, found: list[Authenticator]) -> None:
    kinds = [factor.type for factor in found]
    Authenticator.objects.filter(user=user).delete()
    records.end_sessions(user)
    with as_command():
        records.note("factor_removed", user, by=operator(), through=kinds)
