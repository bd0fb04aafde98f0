"""A branch whose agency demands approval."""

from dataclasses import dataclass

from orgs.models import Unit, User
from orgs.reach import Role
from schedules.actions import approve
from schedules.clearance import digest_of, facts_of
from schedules.models import Schedule
from tests.conftest import World


@dataclass
class Agency:
    """`clerk` registers for the branch; `chief` approves at the agency."""

    clerk: User
    chief: User


def demand(unit: Unit, approval: str = "demanded") -> None:
    Unit.objects.filter(pk=unit.pk).update(approval=approval)


def agency_of(world: World) -> Agency:
    demand(world.taipei)
    return Agency(
        world.person(world.xinyi, Role.OPERATOR), world.person(world.taipei, Role.APPROVER)
    )


def seen(schedule: Schedule) -> str:
    """The digest of what a person sees who looks at it now."""
    return digest_of(facts_of(Schedule.objects.get(pk=schedule.pk)))


def approved(schedule: Schedule, by: User) -> Schedule:
    return approve(schedule, by=by, seen=seen(schedule))
