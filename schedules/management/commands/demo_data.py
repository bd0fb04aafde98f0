"""manage.py demo_data: the organisation, people and schedules of the demonstration."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from orgs.clock import database_now
from schedules import demo


class Command(BaseCommand):
    help = "Adds the demonstration's data; run again it changes nothing. Not for production."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = demo.load(database_now())
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(lines(loaded)))


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
