"""`manage.py demo`: the whole of Teiji on this machine, with data to try it on."""

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from config import memory, processes
from orgs.clock import database_now
from schedules import demo
from schedules.demo_people import SAMPLE
from schedules.management import command

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_SECONDS = 60.0
LOOK_EVERY = 0.5  # seconds between two looks at the children


class Command(command.Command):
    help = "Start web server, worker and beat with demo data, until Ctrl-C. Not for production."
    # They load every page and serializer, which this process has no other use for.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--json", action="store_true", help="One line of JSON, once it is ready."
        )

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        began = time.monotonic()
        self.is_for_programs = options["json"]
        if settings.PRODUCTION:
            raise CommandError("This is a production installation: demo data does not belong here.")
        if not processes.is_free(port):
            raise CommandError(
                f"Port {port} is in use by another program. "
                f"Choose another one: PORT={port + 1} sh scripts/demo"
            )
        for number in STOP_SIGNALS:
            signal.signal(number, _interrupt)
        # Links to images are made with it, also for what is registered here.
        settings.TEIJI_PUBLIC_URL = f"http://127.0.0.1:{port}"
        family = self._family()
        try:
            self._prepare()
            self._start(family, port)
            self._register()
            self._greet(time.monotonic() - began)
            self._watch(family)
        except KeyboardInterrupt:
            self._say("\nStopping …")
        finally:
            _ignore_signals()
            killed = family.stop()
        if killed:
            self.stderr.write(f"Had to be killed: {', '.join(killed)}.")
        self._say(f"Stopped. Your data is in {settings.TEIJI_DATA_DIR}.")

    def _say(self, words: str) -> None:
        """To who looks on. The output is for the JSON alone, where it is asked for."""
        out = self.stderr if self.is_for_programs else self.stdout
        out.write(words, str)
        out.flush()

    def _family(self) -> processes.Family:
        data = settings.TEIJI_DATA_DIR.resolve()
        own = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            # Celery would load every page to check it, in each process; scripts/test does that.
            "CELERY_SKIP_CHECKS": "true",
            "TEIJI_DATA_DIR": str(data),
            "TEIJI_DEBUG": "0",
            "TEIJI_PUBLIC_URL": settings.TEIJI_PUBLIC_URL,
        }
        return processes.Family({**os.environ, **own}, data / "logs")

    def _prepare(self) -> None:
        self._say("Preparing the database …")
        self.loaded = _apart(_fill)
        if self.loaded.token:
            _keep_token(self.loaded.token)
        # Ticks of an earlier start that nobody will ask for.
        for message in settings.TEIJI_DATA_DIR.glob("broker/messages/*"):
            message.unlink(missing_ok=True)

    def _start(self, family: processes.Family, port: int) -> None:
        self._say("Starting web server, worker and beat …")
        family.start("web", processes.web(port))
        family.start("worker", processes.worker())
        family.start("beat", processes.beat())
        page = settings.TEIJI_PUBLIC_URL + processes.SIGN_IN
        if not processes.wait_for(lambda: processes.answers(page), READY_SECONDS):
            raise CommandError(f"The web server does not answer: see {family.log_of('web')}")

    def _register(self) -> None:
        """What is due at once would be late if there were no worker yet."""
        ready = settings.TEIJI_PUBLIC_URL + processes.READY
        processes.wait_for(lambda: processes.answers(ready), READY_SECONDS)
        _apart(_schedule)

    def _greet(self, seconds: float) -> None:
        ours = memory.tree(os.getpid())
        used, shared = memory.resident_megabytes(ours), memory.proportional_megabytes(ours)
        address = settings.TEIJI_PUBLIC_URL
        if self.is_for_programs:
            facts = demo.facts(self.loaded) | {
                "url": f"{address}/", "api": f"{address}/api/v1", "token": _token(),
                "sample": str(SAMPLE), "seconds": round(seconds, 1), "processes": len(ours),
                "megabytes": used, "megabytes_counted_once": shared,
            }  # fmt: skip
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            self.stdout.flush()
            return
        counted_once = f" ({shared} MB with what they share counted once)" if shared else ""
        told = [
            f"\nTeiji is ready: {address}/",
            f"Ready after {seconds:.0f} s; {len(ours)} processes use {used} MB{counted_once}.\n",
            *_sign_ins(self.loaded), "", *_sample_lines(), "", *_token_lines(address),
            "Ctrl-C stops it; what you made is kept for the next start.",
        ]  # fmt: skip
        self._say("\n".join(told))

    def _watch(self, family: processes.Family) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            for name in family.revive():
                self.stderr.write(f"{name} had ended and was started again.")


def _apart(what: Callable[[], Any]) -> Any:
    """In a process of its own: this one stays for as long as the demo, and stays small."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as apart:
        return apart.submit(what).result()


def _fill() -> demo.DemoPeople:
    call_command("migrate", verbosity=0)
    return demo.load_places()


def _schedule() -> None:
    demo.load_schedules(database_now())


def _sign_ins(loaded: demo.DemoPeople) -> list[str]:
    """A table of one person for each level of the organisation, and the superuser."""
    shown = [
        p
        for p in loaded.people
        if p.username in (demo.ADMIN, *demo.EVERY_ROLE, demo.BRANCH_MANAGER)
    ]
    rows = [("user name", "role", "unit"), *((p.username, p.role, p.unit) for p in shown)]
    table = [f"    {name:<16}{role:<11}{unit}" for name, role, unit in rows]
    return ["Sign in as one of these:", *table, f"Everybody's password: {loaded.password}"]


def _sample_lines() -> list[str]:
    """What a branch may try with people of its own."""
    return [
        f"People to import as {demo.BRANCH_MANAGER}, two lines wrong on purpose:",
        f"    {SAMPLE}",
        "    import > audience > schedule it > who was reached",
    ]


def _token_lines(address: str) -> list[str]:
    """The API in one line to copy."""
    token = _token() or "…"
    return [
        f"API token of {demo.TOKEN_USER}: {token}",
        f"    curl -H 'Authorization: Bearer {token}' {address}/api/v1/schedules",
    ]


def _keep_token(token: str) -> None:
    """The database has only its digest: without this file a second start could not show it."""
    _token_file().touch(mode=0o600)
    _token_file().write_text(token)


def _token() -> str:
    return _token_file().read_text() if _token_file().exists() else ""


def _token_file() -> Path:
    return Path(settings.TEIJI_DATA_DIR) / "demo_token"


def _ignore_signals() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: Any) -> None:
    _ignore_signals()  # a second one must not interrupt the stopping
    raise KeyboardInterrupt
