"""What a command's arguments name: an account, a room, a unit, a schedule, a person, a moment. What
is not there, or is not the only one, ends the command with exit status 2."""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError

from channels.models import Account, Room
from orgs.models import Unit, User
from schedules.management.command import FAILED
from schedules.management.operator import operator
from schedules.models import Schedule

AGE = re.compile(r"(\d+)([smhd])")
STEPS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def account_named(given: str) -> Account:
    """The account with this id or name."""
    rows = Account.objects.select_related("unit")
    found = list(rows.filter(pk=given) if given.isdecimal() else rows.filter(name=given))
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{account.pk} of {account.unit}" for account in found)
        raise _wrong(f"Several accounts are called “{given}”. Give the id: {listed}.")
    listed = ", ".join(f"“{name}”" for name in rows.values_list("name", flat=True)[:20])
    raise _wrong(f"There is no account “{given}”. There are: {listed or 'none yet'}.")


def room_named(pk: int) -> Room:
    """The room with this id."""
    found = Room.objects.select_related("unit", "account").filter(pk=pk).first()
    if found is None:
        raise _wrong(f"There is no room {pk}.")
    return found


def unit_named(given: str) -> Unit:
    """The unit with this code or id."""
    found = list(Unit.objects.filter(code=given)) or list(
        Unit.objects.filter(pk=given) if given.isdecimal() else []
    )
    if len(found) != 1:
        how = "Several units have" if found else "No unit has"
        raise _wrong(f"{how} the code “{given}”. Give a code, or the id.")
    return found[0]


def person_named(username: str | None) -> Any:
    """Who decides: this user; without a name whoever sits at the command line."""
    if not username:
        return operator()
    found = User.objects.filter(username=username).first()
    if found is None:
        raise _wrong(f"There is no user {username}.")
    return found


def moment_named(given: str, now: datetime) -> datetime:
    """A time like 2026-03-01T09:00+09:00 (without a zone: UTC), or an age like 90m, 24h or 7d."""
    try:
        if age := AGE.fullmatch(given):
            return now - timedelta(**{STEPS[age[2]]: int(age[1])})
        moment = datetime.fromisoformat(given)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        words = f"“{given}” is no time. Write 24h, 7d, or 2026-03-01T09:00+09:00."
        raise _wrong(words) from error


def schedule_named(pk: int) -> Schedule:
    """The schedule with this id, also one that was deleted."""
    found = Schedule.objects.filter(pk=pk).first()
    if found is None:
        raise _wrong(f"There is no schedule {pk}.")
    return found


def whole_number(given: str) -> int:
    """For arguments that count something."""
    if not (given.isascii() and given.isdigit()):
        raise ArgumentTypeError(f"“{given}” is not a number from 0 on.")
    return int(given)


def _wrong(words: str) -> CommandError:
    return CommandError(words, returncode=FAILED)
