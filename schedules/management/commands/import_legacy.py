"""`manage.py import_legacy`: takes over what older systems registered and sent."""

import json
import sys
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from orgs.models import Unit
from schedules.legacy.importing import TABLES, Wish, run_import
from schedules.legacy.reading import Unusable, open_source
from schedules.legacy.take_campaigns import Into
from schedules.legacy.take_videos import TITLE, Announcement
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.named import account_named, room_named, unit_named
from schedules.management.operator import as_command, operator
from schedules.management.progress import Bar

LEFT_OUT = 1  # exit status


class Command(command.Command):
    help = (
        "Take over schedules, logs, campaigns and times of videos of an older system; what is here "
        "already stays as it is. Exit status 0: all taken, 1: some rows were not, 2: failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source", nargs="+", metavar="SOURCE",
            help="mysql://user@host:3306/name (password in MYSQL_PWD), postgres://…, "
            "an SQL dump (.sql, .sql.gz), or CSV files named like their tables "
            "(or kb_schedule=FILE).",
        )  # fmt: skip
        parser.add_argument("--account", help="Name or id of the account that the rooms are of.")
        parser.add_argument(
            "--unit", help="For campaigns and videos: code or id of the unit whose they become."
        )
        parser.add_argument(
            "--audience", action="append", default=[], metavar="RULE=NAME",
            help="For campaigns: the audience that a target_audience means. May be repeated.",
        )  # fmt: skip
        parser.add_argument(
            "--room", type=int, metavar="ID",
            help="For videos: the room that is told at the time of each.",
        )  # fmt: skip
        parser.add_argument(
            "--text", default=TITLE, help="For videos: what it is told; usual is {title}, "
            "{id} is there too.",
        )  # fmt: skip
        parser.add_argument("--images", type=Path, metavar="FOLDER", help="Where the images lie.")
        parser.add_argument(
            "--paused", action="store_true",
            help="What is active comes as paused: while the older system still sends.",
        )  # fmt: skip
        parser.add_argument(
            "--name", default="legacy", help="Of the older system, if you have several."
        )
        parser.add_argument("--zone", default="", help="Of its times, if not that of its country.")
        parser.add_argument("--tables", default=",".join(TABLES), help="Only these, by commas.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be; keep nothing."
        )
        parser.add_argument("--json", action="store_true", help="The whole report, row by row.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source, wish = open_source(options["source"]), _wish(options)
            with as_command():
                report = run_import(source, wish, by=operator(), begin=Bar)
        except Unusable as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except IntegrityError as error:
            words = (
                "Somebody changed the same rows meanwhile. Start it again: it goes on from there."
            )
            raise CommandError(words, returncode=FAILED) from error
        if options["json"]:
            found = {"dry_run": wish.is_trial, **report.as_json()}
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        else:
            head = ["A trial: nothing was kept."] if wish.is_trial else []
            self.stdout.write("\n".join([*head, *report.lines()]))
        if report.not_taken:
            sys.exit(LEFT_OUT)


def _wish(options: dict[str, Any]) -> Wish:
    zone, images = options["zone"], options["images"]
    if zone and zone not in available_timezones():
        raise Unusable(f"“{zone}” is not a time zone. Write one like Asia/Seoul.")
    if images and not images.is_dir():
        raise Unusable(f"There is no folder {images}.")
    tables = options["tables"].split(",")
    if unknown := sorted(set(tables) - set(TABLES)):
        raise Unusable(f"{unknown[0]} is not imported; these are: {', '.join(TABLES)}.")
    unit = unit_named(options["unit"]) if options["unit"] else None
    return Wish(
        name=options["name"],
        account=account_named(options["account"]) if options["account"] else None,
        into=_into(unit, options["audience"]) if unit else None,
        announcement=_announcement(unit, options["room"], options["text"]) if unit else None,
        images=images,
        tables=tables,
        is_paused=options["paused"],
        is_trial=options["dry_run"],
        zone=zone,
    )


def _into(unit: Unit, audiences: list[str]) -> Into:
    pairs = [pair.rpartition("=") for pair in audiences]
    if wrong := [
        pair for pair, (_rule, sign, _name) in zip(audiences, pairs, strict=True) if not sign
    ]:
        raise Unusable(f"“{wrong[0]}” is not RULE=NAME.")
    return Into(unit, {rule: name for rule, _sign, name in pairs})


def _announcement(unit: Unit, room_id: int | None, text: str) -> Announcement:
    room = None if room_id is None else room_named(room_id)
    if room and not unit.covers(room.unit):
        raise Unusable(f"The room “{room}” is out of reach of {unit}.")
    return Announcement(unit, room, text)
