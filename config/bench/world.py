"""What is to be sent: rooms on a fake LINE, due at one second.

Run in the scratch installation: `python -m config.bench.world ROOMS SHAPE SECONDS` prints the
appointed time, in seconds since 1970.
"""

import os
import sys
from datetime import datetime, timedelta

import django

ACCESS_TOKEN = "a-long-lived-token"  # noqa: S105  (the fake's own: see tests/fakes/line.py)
NO_LIMIT = 1_000_000  # requests a second: the dispatcher is measured, not LINE's own limit


def main(rooms: int, shape: str, ahead: float) -> float:
    """Write the rooms and their schedules; the time at which all are due."""
    # Models can be imported only now; bulk rows, since registering is not what is measured.
    from channels.models import Account, Room  # noqa: PLC0415
    from orgs.clock import database_now  # noqa: PLC0415
    from orgs.models import Unit  # noqa: PLC0415

    unit = Unit.objects.plant(kind="headquarters", code="bench", name="Bench", zone="UTC")
    account = Account(unit=unit, name="LINE", kind="line", requests_per_second=NO_LIMIT)
    account.secrets = {"access_token": ACCESS_TOKEN}
    account.save()
    made = Room.objects.bulk_create(
        [
            Room(unit=unit, account=account, name=f"Room {number}", address=f"C{number:032x}")
            for number in range(rooms)
        ]
    )
    now = database_now()
    due_at = (now + timedelta(seconds=ahead)).replace(microsecond=0)
    _schedule(made, due_at, now, count=1 if shape == "one" else rooms)
    return due_at.timestamp()


def _schedule(rooms: list, due_at: datetime, now: datetime, *, count: int) -> None:
    from schedules.models import Schedule  # noqa: PLC0415  (as above)
    from schedules.states import ScheduleState  # noqa: PLC0415

    schedules = Schedule.objects.bulk_create(
        [
            Schedule(
                unit=rooms[0].unit, title=f"Bench {number}", text="定時 09:00", zone="UTC",
                timing_kind="once", date=due_at.date(), time=due_at.time(),
                state=ScheduleState.ACTIVE, registered_at=now, next_due_at=due_at,
            )
            for number in range(count)
        ]
    )  # fmt: skip
    through = Schedule.rooms.through
    through.objects.bulk_create(
        [
            through(schedule_id=schedules[number % count].pk, room_id=room.pk)
            for number, room in enumerate(rooms)
        ]
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    sys.stdout.write(f"{main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))}\n")
