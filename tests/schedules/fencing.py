"""What the tests of the fence share."""

from datetime import timedelta

from orgs.clock import database_now
from schedules.actions.fence import Trouble, own_installation, put_up
from schedules.models import Installation

HOUR = timedelta(hours=1)


def row() -> Installation:
    return Installation.objects.get()


def fenced_by_the_machine(reason: str = "clone") -> None:
    own_installation()
    put_up(Trouble(reason), now=database_now())
