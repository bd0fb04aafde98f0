"""`manage.py send_test`: one message on the way that all messages take, and what became of it."""

import json
import sys
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, transaction

from channels.models import Room
from logs import history
from orgs.clock import database_now
from orgs.moments import written
from schedules import actions
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.named import account_named, person_named, room_named
from schedules.management.operator import as_command
from schedules.management.progress import Status
from schedules.models import Delivery, Heartbeat, Installation, Run, Schedule
from schedules.recurrence import Kind
from schedules.states import DeliveryState

NOT_ACCEPTED = 1  # exit status
LOOK_EVERY = 0.2  # seconds
TITLE = "Test"
OPEN = (DeliveryState.PLANNED, DeliveryState.SENDING)


class Command(command.Command):
    help = (
        "Send one message through the workers and wait for what becomes of it. Exit status 0: the "
        "channel accepted it, 1: it did not, or nothing is known yet, 2: it was not registered."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        to = parser.add_mutually_exclusive_group(required=True)
        to.add_argument("--room", type=int, metavar="ID", help="A room that there is.")
        to.add_argument("--account", help="Name or id of an account; with --address.")
        parser.add_argument(
            "--address", default="",
            help="A room of that account, as its channel names it; added as a test room if new.",
        )  # fmt: skip
        parser.add_argument("--text", default="", help="Else a short one with the time.")
        parser.add_argument(
            "--wait", type=float, default=60.0, metavar="SECONDS", help="At most; 60 is usual."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Say whether it could be sent; send nothing."
        )
        parser.add_argument("--by", metavar="USER", help="The person who sends it.")
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["account"]) != bool(options["address"]):
            raise CommandError("--account and --address go together.", returncode=FAILED)
        try:
            with as_command(), transaction.atomic():
                schedule = _register(options)
                if options["dry_run"]:
                    self._say_trial(schedule, is_json=options["json"])
                    transaction.set_rollback(True)
            self._warn()
            if options["dry_run"]:
                return
            row = _wait(schedule, options["wait"])
        except actions.Refused as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except DatabaseError as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error
        facts = _facts(schedule, row)
        self.stdout.write(
            json.dumps(facts, ensure_ascii=False) if options["json"] else _words(facts)
        )
        if row is None or row.state not in (DeliveryState.SENT, DeliveryState.CONFIRMED):
            sys.exit(NOT_ACCEPTED)

    def _say_trial(self, schedule: Schedule, *, is_json: bool) -> None:
        room = schedule.rooms.select_related("account").get()
        facts = {"dry_run": True, "room": room.name, "account": room.account.name,
                 "text": schedule.text}  # fmt: skip
        words = f"A trial: it would go to {room.name} through {room.account.name}."
        self.stdout.write(json.dumps(facts, ensure_ascii=False) if is_json else words)

    def _warn(self) -> None:
        """What keeps it from leaving, as far as that is known already."""
        if Installation.objects.fenced():
            self.stderr.write("All sending is fenced: see manage.py fence.")
        elif not Heartbeat.alive(Heartbeat.Kind.LOOP, database_now()):
            self.stderr.write("No worker shows signs of life: start one, or manage.py dispatch.")


def _register(options: dict[str, Any]) -> Schedule:
    by, now = person_named(options["by"]), database_now()
    room = _room(options, by, now)
    text = options["text"] or f"Teiji · {written(now, room.unit.zone)}"
    draft = actions.create_draft(
        by=by, unit=room.unit, uid=uuid4(), registered_by=by if by.pk else None,
        title=TITLE, text=text, timing_kind=Kind.NOW.value, max_retries=0,
    )  # fmt: skip
    draft.rooms.set([room])
    return actions.register(draft, by=by)


def _room(options: dict[str, Any], by: Any, now: datetime) -> Room:
    if options["room"] is not None:
        return room_named(options["room"])
    account = account_named(options["account"])
    rooms = Room.objects.select_related("unit", "account")
    found = rooms.filter(account=account, address=options["address"]).first()
    return found or _new_room(account, options["address"], by, now)


def _new_room(account: Any, address: str, by: Any, now: datetime) -> Room:
    room = Room(unit=account.unit, account=account, address=address, kind=Room.Kind.TEST,
                name=f"{TITLE} {address}"[:100])  # fmt: skip
    try:
        room.full_clean()
    except ValidationError as error:
        words = "; ".join(error.messages)
        raise CommandError(f"“{address}” cannot be a room: {words}", returncode=FAILED) from error
    room.save()
    history.record("created", room, by=by, now=now, unit_path=room.unit.path)
    return room


def _wait(schedule: Schedule, seconds: float) -> Delivery | None:
    """The delivery when it has come to an end, or as it is when the time is over."""
    status = Status()
    deadline = time.monotonic() + seconds
    while True:
        row = Delivery.objects.filter(run__schedule=schedule).first()
        if row is None or (row.state not in OPEN and not row.is_asked_about):
            break
        status(_progress(row))
        if time.monotonic() >= deadline:
            break
        time.sleep(LOOK_EVERY)
    status.end()
    return row


def _progress(row: Delivery) -> str:
    held = row.slot_at or row.next_try_at
    if row.state == DeliveryState.PLANNED and held > database_now() + timedelta(seconds=1):
        why = f" ({row.get_reason_display()})" if row.reason else ""
        return f"{row.get_state_display()}, leaves at {held.isoformat(' ', 'seconds')}{why}"
    return f"{row.get_state_display()} …"


def _facts(schedule: Schedule, row: Delivery | None) -> dict[str, Any]:
    if row is None:
        run = Run.objects.get(schedule=schedule)
        why = ": ".join(filter(None, [str(run.get_reason_display()), run.detail]))
        return {"schedule": schedule.pk, "state": run.state, "error": why}
    error = row.error or (str(row.get_reason_display()) if row.reason else "")
    return {"schedule": schedule.pk, "state": row.state, "room": row.room_name,
            "status": row.status, "request_id": row.request_id, "tries": row.tries,
            "lateness_ms": row.lateness_ms, "error": error}  # fmt: skip


def _words(facts: dict[str, Any]) -> str:
    said = {name: value for name, value in facts.items() if value not in (None, "")}
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in said.items())
