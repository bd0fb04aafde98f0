"""An audience on a fake LINE, due at one second.

Run in the scratch installation. `python -m config.bench.people plant COUNT` writes so many people
and an audience of them, and prints its id; `… schedule AUDIENCE SECONDS` lets a schedule to it be
due in so many seconds and prints the appointed time, in seconds since 1970.
"""

import os
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4

import django

from config.bench.peers.message import ACCESS_TOKEN, TEXT

AT_ONCE = 20_000  # rows that are held in memory while they are written


def plant(count: int) -> int:
    """People, and the audience of all of them."""
    # Models can be imported only now; bulk rows, since registering is not what is measured.
    from channels.models import Account, Audience  # noqa: PLC0415
    from orgs.models import Unit  # noqa: PLC0415

    unit = Unit.objects.filter(code="bench").first() or Unit.objects.plant(
        kind="headquarters", code="bench", name="Bench", zone="UTC"
    )
    account = Account.objects.filter(unit=unit).first() or Account(unit=unit, name="LINE")
    if account.pk is None:
        account.kind, account.secrets = "line", {"access_token": ACCESS_TOKEN}
        account.save()
    audience = Audience.objects.create(
        unit=unit, account=account, name=f"{count} people, {uuid4().hex[:8]}"
    )
    for start in range(0, count, AT_ONCE):
        _add(audience, range(start, min(start + AT_ONCE, count)))
    return int(audience.pk)


def schedule(audience_id: int, ahead: float) -> float:
    """One schedule to the audience; its appointed time."""
    from channels.models import Audience  # noqa: PLC0415  (as above)
    from orgs.clock import database_now  # noqa: PLC0415
    from schedules.models import Schedule  # noqa: PLC0415
    from schedules.states import ScheduleState  # noqa: PLC0415

    audience = Audience.objects.get(pk=audience_id)
    now = database_now()
    due_at = (now + timedelta(seconds=ahead)).replace(microsecond=0)
    Schedule.objects.create(
        unit=audience.unit, audience=audience, title=audience.name, text=TEXT, zone="UTC",
        timing_kind="once", date=due_at.date(), time=due_at.time(),
        state=ScheduleState.ACTIVE, registered_at=now, next_due_at=due_at,
    )  # fmt: skip
    return due_at.timestamp()


def _add(audience: Any, numbers: range) -> None:
    from channels.models import Recipient  # noqa: PLC0415  (as above)
    from orgs.bulk import insert  # noqa: PLC0415

    people = [
        Recipient(
            unit_id=audience.unit_id, account_id=audience.account_id,
            address=f"U{audience.pk:08x}{number:024x}",
        )
        for number in numbers
    ]  # fmt: skip
    insert(people, ids=True)
    member = audience.recipients.through
    insert([member(audience_id=audience.pk, recipient_id=person.pk) for person in people])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    what, first, *rest = sys.argv[1:]
    done = plant(int(first)) if what == "plant" else schedule(int(first), float(rest[0]))
    sys.stdout.write(f"{done}\n")
