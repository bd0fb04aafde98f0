"""Vendors that live in our own database: the sandbox's rooms, and a phone with its queue.

They take no requests, so what goes wrong is the database's: it answers late, or not at all, before
or after the message stands in it. Each reads in a thread of its own, as nothing may read in a loop.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from unittest.mock import patch

from django.db import OperationalError, connection

from channels import pull, sandbox
from channels.models import Account, PulledMessage, SandboxMessage
from orgs.models import Unit
from tests.fakes.faults import Fault, FaultKind, Faults
from tests.fakes.wire import Answer, Request, json_answer

ACCOUNT = 1  # the only one there is
STRANGER = "gone-1"  # whom the sandbox refuses

ACCEPTED_FIRST = (FaultKind.ACCEPT_THEN_DROP, FaultKind.ERROR_AFTER)
SLOW_BEFORE = (FaultKind.HANG_THEN_ACCEPT, FaultKind.HANG_NEVER_ACCEPT)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a room, or some people, were shown of one part."""

    key: str
    to: str | list[str]
    messages: list[dict[str, Any]]


class InHouseFake:
    """What both share: `works` are the functions, by module and name, that the faults befall."""

    kind: ClassVar[str]
    works: ClassVar[tuple[tuple[Any, str], ...]]

    def __init__(self) -> None:
        self.latency = 0.0
        self.faults = Faults()

    @property
    def log(self) -> list[Shown]:
        return in_a_thread(self.shown)

    def shown(self) -> list[Shown]:
        raise NotImplementedError

    def handle(self, _request: Request) -> Answer:
        """Nobody calls it."""
        return json_answer({}, status=404)

    @contextmanager
    def standing_in(self) -> Iterator[None]:
        """With its account, and whatever goes wrong that it was told."""
        in_a_thread(lambda: _make_account(self.kind))
        patches = [
            patch.object(module, name, self._failing(getattr(module, name)))
            for module, name in self.works
        ]
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()

    def _failing(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def fail_or_work(*given: Any, **more: Any) -> Any:
            fault = self.faults.take("")
            return (
                _misbehave(fault, lambda: work(*given, **more)) if fault else work(*given, **more)
            )

        return fail_or_work


class SandboxFake(InHouseFake):
    """The rooms and people of the sandbox."""

    kind = "sandbox"
    works = ((sandbox, "accept"), (sandbox, "has"), (sandbox, "used"))

    def shown(self) -> list[Shown]:
        """By acceptance: what was accepted without a key twice was shown twice."""
        found: dict[tuple[Any, ...], dict[str, list[Any]]] = {}
        for row in SandboxMessage.objects.order_by("id"):
            people = found.setdefault((str(row.key), row.arrived_at), {})
            people.setdefault(row.address, []).append(row.body)
        return [
            Shown(key, next(iter(people)) if len(people) == 1 else [*people], bodies)
            for (key, _at), people in found.items()
            for bodies in [next(iter(people.values()))]
        ]


class PhoneFake(InHouseFake):
    """A phone that fetches what waits and types it, whenever its rooms are looked into."""

    kind = "messengerbot"
    works = ((pull, "put"), (pull, "fate"))

    def shown(self) -> list[Shown]:
        account = Account.objects.get(pk=ACCOUNT)
        while row := pull.next_for(account, "fetch", pause=timedelta(0)):
            pull.answer(account, row.uid, is_shown=True)
        typed = PulledMessage.objects.filter(is_shown=True).order_by("id")
        return [
            Shown(str(row.key), row.address, [{"type": "text", "text": row.text}]) for row in typed
        ]


def in_a_thread(work: Callable[[], Any]) -> Any:
    """What the work comes to, with a connection that is closed after it."""
    found: list[Any] = []

    def go() -> None:
        try:
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=go)
    thread.start()
    thread.join(20)
    assert found, "the work has failed"
    return found[0]


def _misbehave(fault: Fault, work: Callable[[], Any]) -> Any:
    if fault.kind in SLOW_BEFORE:
        time.sleep(fault.seconds)
    if fault.kind in ACCEPTED_FIRST:
        work()
        raise OperationalError("server closed the connection unexpectedly")
    if fault.kind in (FaultKind.HANG_THEN_ACCEPT, FaultKind.SLOW_DRIP, FaultKind.HUGE_BODY):
        return work()
    raise OperationalError("could not connect")


def _make_account(kind: str) -> Account:
    unit = Unit.objects.filter(code="house").first() or Unit.objects.plant(
        kind="headquarters", code="house", name="House", zone="UTC"
    )
    return Account.objects.get_or_create(
        pk=ACCOUNT, defaults={"unit": unit, "name": "In house", "kind": kind}
    )[0]
