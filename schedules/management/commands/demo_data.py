"""manage.py demo_data: the organisation, people and schedules of the demonstration."""

import json
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser

from orgs.clock import database_now
from schedules import demo
from schedules.management import command


class Command(command.Command):
    help = "Adds the demonstration's data; run again it changes nothing. Not for production."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be added.")
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            demo.refuse_production()
            missing = demo.missing()
            loaded = None if options["dry_run"] else demo.load(database_now())
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            facts = {"dry_run": loaded is None, "added": missing}
            facts |= demo.facts(loaded) if loaded else {}
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        elif loaded:
            self.stdout.write("\n".join(lines(loaded)))
        else:
            listed = ", ".join(f"{count} {what}" for what, count in missing.items())
            self.stdout.write(f"A trial: {listed} would be added.")


def lines(loaded: demo.DemoPeople) -> list[str]:
    """The sign-ins as a table, and the token."""
    width = max(len(person.username) for person in loaded.people)
    table = [
        f"{person.username:<{width}}  {person.role:<9}  {person.unit}" for person in loaded.people
    ]
    head = f"{'user name':<{width}}  {'role':<9}  unit"
    token = loaded.token or "made before; issue another under Tokens"
    return [
        head,
        *table,
        "",
        f"Password of everybody: {loaded.password}",
        f"API token of {demo.TOKEN_USER}: {token}",
    ]
