"""What is to be sent: tenants with rooms on a fake LINE, all due at one second.

Run in the scratch installation. `python -m config.bench.world plant TENANT ROOMS ACCOUNTS`
writes a unit of that number, `… plant_urgent TENANT URGENT ROOMS` more rooms for its account, with
addresses of another; `… schedule SHAPE SECONDS TENANT…` lets the rooms of all be due in so many
seconds, those at urgent addresses with a higher priority, and prints the appointed time, in seconds
since 1970.
"""

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import django

from config.bench.peers.message import ACCESS_TOKEN, TEXT, address

NO_LIMIT = 1_000_000  # requests a second: the dispatcher is measured, not LINE's own limit
FREE = {"min_interval_seconds": 0, "daily_cap": 0}  # a room's own limits neither
ORDINARY_PRIORITY, URGENT_PRIORITY = 50, 90
URGENT = "Urgent"


def plant(tenant: int, rooms: int, accounts: int) -> None:
    """A unit of its own, its accounts, and its rooms spread over them."""
    # Models can be imported only now; bulk rows, since registering is not what is measured.
    from channels.models import Room  # noqa: PLC0415
    from orgs.models import Unit  # noqa: PLC0415

    unit = Unit.objects.plant(
        kind="headquarters", code=f"bench{tenant}", name=f"Bench {tenant}", zone="UTC"
    )
    made = [_account(unit, number) for number in range(accounts)]
    Room.objects.bulk_create(
        [
            Room(
                unit=unit, account=made[number % accounts], name=f"Room {number}",
                address=address(number, tenant), **FREE,
            )
            for number in range(rooms)
        ]
    )  # fmt: skip


def plant_urgent(tenant: int, urgent: int, rooms: int) -> None:
    """More rooms of this tenant and its one account, under the addresses of `urgent`."""
    from channels.models import Account, Room  # noqa: PLC0415  (as above)

    account = Account.objects.get(unit__code=f"bench{tenant}")
    Room.objects.bulk_create(
        Room(
            unit=account.unit, account=account, name=f"{URGENT} {number}",
            address=address(number, urgent), **FREE,
        )
        for number in range(rooms)
    )  # fmt: skip


def schedule(shape: str, ahead: float, tenants: Sequence[int]) -> float:
    """Write the schedules, then let all be due at one second, which is returned."""
    from orgs.clock import database_now  # noqa: PLC0415  (as above)
    from schedules.models import Schedule  # noqa: PLC0415
    from schedules.states import ScheduleState, move  # noqa: PLC0415

    ids = [id_ for tenant in tenants for id_ in _drafts(shape, tenant)]
    now = database_now()
    due_at = (now + timedelta(seconds=ahead)).replace(microsecond=0)
    move(
        Schedule.objects.filter(id__gte=min(ids), id__lte=max(ids)), ScheduleState.ACTIVE,
        date=due_at.date(), time=due_at.time(), registered_at=now, next_due_at=due_at,
    )  # fmt: skip
    return due_at.timestamp()


def _account(unit: Any, number: int) -> Any:
    """Without a limit of requests: the dispatcher is measured, not LINE's buckets."""
    from channels.models import Account  # noqa: PLC0415  (as above)

    account = Account(unit=unit, name=f"LINE {number}", kind="line", requests_per_second=NO_LIMIT)
    account.secrets = {"access_token": ACCESS_TOKEN}
    account.save()
    return account


def _drafts(shape: str, tenant: int) -> list[int]:
    """The ids of new schedules for all rooms of the tenant: one, or one for each; and as many
    more where it has urgent ones."""
    from django.db.models import Q  # noqa: PLC0415  (as above)

    from channels.models import Room  # noqa: PLC0415
    from orgs.models import Unit  # noqa: PLC0415

    unit = Unit.objects.get(code=f"bench{tenant}")
    rooms = Room.objects.filter(unit=unit).order_by("id")
    urgent = Q(name__startswith=URGENT)
    return [
        *_drafts_for(shape, unit, rooms.filter(~urgent), ORDINARY_PRIORITY),
        *_drafts_for(shape, unit, rooms.filter(urgent), URGENT_PRIORITY),
    ]


def _drafts_for(shape: str, unit: Any, among: Any, priority: int) -> list[int]:
    from schedules.models import Schedule  # noqa: PLC0415  (as above)

    rooms = list(among.values_list("id", flat=True))
    any_time = datetime(2000, 1, 1)  # noqa: DTZ001  (a draft's: it is set when it is registered)
    schedules = Schedule.objects.bulk_create(
        [
            Schedule(
                unit=unit, title=f"Bench {number}", text=TEXT, zone="UTC", timing_kind="once",
                date=any_time.date(), time=any_time.time(), priority=priority,
            )
            for number in range(min(1, len(rooms)) if shape == "one" else len(rooms))
        ]
    )  # fmt: skip
    through = Schedule.rooms.through
    through.objects.bulk_create(
        [
            through(schedule_id=schedules[number % len(schedules)].pk, room_id=room)
            for number, room in enumerate(rooms)
        ]
    )
    return [schedule.pk for schedule in schedules]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    what, *words = sys.argv[1:]
    if what == "plant":
        plant(int(words[0]), int(words[1]), int(words[2]))
    elif what == "plant_urgent":
        plant_urgent(int(words[0]), int(words[1]), int(words[2]))
    else:
        due = schedule(words[0], float(words[1]), [int(word) for word in words[2:]])
        sys.stdout.write(f"{due}\n")
