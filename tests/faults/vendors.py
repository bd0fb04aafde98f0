"""The channels: a LINE that honours keys, and a receiver of webhooks that does not."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from channels.models import Account, Room
from orgs.models import Unit
from tests.fakes.faults import Faults
from tests.fakes.line import ACCESS_TOKEN, LineFake
from tests.fakes.serving import serving
from tests.fakes.webhook import SECRET, WebhookFake
from tests.fakes.wire import Answer, Request
from tests.unlimited import UNLIMITED


class Stand:
    """A fixed address behind which a test puts a fake of its own. It can be shut: connections
    are then reset, and new ones refused."""

    def __init__(self, fake: Any) -> None:
        self.fake = fake
        self.url = ""
        self._port = 0
        self._ready = threading.Event()
        self._is_open = True
        self._is_over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def latency(self) -> float:
        return float(self.fake.latency)

    @property
    def faults(self) -> Faults:
        return self.fake.faults  # type: ignore[no-any-return]

    @property
    def log(self) -> list[Any]:
        return self.fake.log  # type: ignore[no-any-return]

    def handle(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        return self.fake.handle(request)  # type: ignore[no-any-return]

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20), "the stand does not open"

    def shut(self) -> None:
        self._is_open = False

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        self._is_over = True
        self._thread.join(20)

    async def _serve(self) -> None:
        while not self._is_over:
            async with serving(self, self._port) as self.url:
                self._port = int(self.url.rpartition(":")[2])
                self._ready.set()
                while self._is_open and not self._is_over:
                    await asyncio.sleep(0.02)
            while not (self._is_open or self._is_over):
                await asyncio.sleep(0.02)


@dataclass
class Stands:
    """The two addresses; they outlive the tests, so that processes may know them early."""

    line: Stand = field(default_factory=lambda: Stand(LineFake()))
    webhook: Stand = field(default_factory=lambda: Stand(WebhookFake()))


@contextmanager
def stands() -> Iterator[Stands]:
    """Both, each served in a thread."""
    both = Stands()
    for stand in (both.line, both.webhook):
        stand.start()
    try:
        yield both
    finally:
        for stand in (both.line, both.webhook):
            stand.close()


@dataclass
class Vendors:
    """The fakes of one test, and our accounts with them."""

    line: LineFake
    webhook: WebhookFake
    keyed: Account
    unkeyed: Account
    unit: Unit
    stands: Stands

    def rooms(self, keyed: int, unkeyed: int) -> list[Room]:
        """So many rooms of each sort, made when they are first asked for."""
        return [self._room(self.keyed, f"C{number:032x}") for number in range(keyed)] + [
            self._room(self.unkeyed, f"lobby-{number}") for number in range(unkeyed)
        ]

    @property
    def accepted(self) -> list[Any]:
        """What either accepted, so far."""
        return [*self.line.log, *self.webhook.log]

    def heal(self) -> None:
        """No more misbehaviour."""
        for stand in (self.stands.line, self.stands.webhook):
            stand.faults.clear()
            stand.open()

    def _room(self, account: Account, address: str) -> Room:
        values = {"unit": self.unit, "name": f"{account.name} {address[-8:]}", **UNLIMITED}
        return Room.objects.get_or_create(account=account, address=address, defaults=values)[0]


def open_vendors(both: Stands, account_unit: Unit, room_unit: Unit) -> Vendors:
    """Fresh fakes on the stands, and an account with each."""
    line, webhook = LineFake(rates={}), WebhookFake(honours_key=False)
    both.line.fake, both.webhook.fake = line, webhook
    keyed = Account(unit=account_unit, name="LINE", kind="line")
    keyed.secrets = {"access_token": ACCESS_TOKEN}
    keyed.save()
    unkeyed = Account(unit=account_unit, name="Hook", kind="webhook")
    unkeyed.config = {"url": f"{both.webhook.url}/hook", "honours_key": "no"}
    unkeyed.secrets = {"secret": SECRET}
    unkeyed.save()
    return Vendors(line, webhook, keyed, unkeyed, room_unit, both)
