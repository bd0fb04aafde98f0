"""Failpoints: a worker dies or stands still at a named step of the engine.

Loaded in the processes of these tests only. `FAILPOINT=name:action[:nth]`, where the action is
`kill` (SIGKILL) or `stop` (SIGSTOP: until somebody sends SIGCONT). The steps are found by the
functions that do them and wrapped wherever they are looked up; what lies before and after a
transaction's end is found at its COMMIT.

At the `wire` points the nth request is waited for, and those before it wait with it: so that
n requests stand there at once.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any

import aiohttp
from django.db.backends.base.base import BaseDatabaseWrapper

from channels.adapters import registry
from channels.webhooks import note, spread
from schedules import states
from schedules.dispatch import claim, mark, plan, settle, sweep

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
STEPS: dict[str, tuple[Any, str]] = {
    "plan": (plan, "plan"),
    "claim": (claim, "claim"),
    "mark": (mark, "mark_wire"),
    "settle": (settle, "settle"),
    "sweep": (sweep, "take_back"),
    "spread": (spread, "spread"),
}
IN_TRANSACTION = ("plan", "claim", "settle", "sweep", "spread")
NAMES = {
    *(f"{step}.{when}" for step in IN_TRANSACTION for when in ("before_commit", "after_commit")),
    "mark.before", "mark.between", "mark.after",
    "settle.before",
    "wire.before", "wire.written", "wire.answered", "post.answered",
}  # fmt: skip
GATHER_SECONDS = 20.0

_now_in = threading.local()  # .step: the step that this thread is in; .moved: rows it moved
_is_sending: ContextVar[bool] = ContextVar("is_sending", default=False)


class Failpoint:
    """One point that acts once, at its nth passing."""

    def __init__(self, said: str, folder: Path) -> None:
        self.name, action, *nth = said.split(":")
        assert self.name in NAMES, f"{self.name} is none of {sorted(NAMES)}"
        self.signal = SIGNALS[action]
        self.nth = int(nth[0]) if nth else 1
        self.folder = folder
        self.passed = 0
        self._lock = threading.Lock()

    def hit(self, name: str) -> bool:
        """Pass the point of this name; whether the failpoint has acted by now."""
        if name != self.name:
            return True
        with self._lock:
            self.passed += 1
            acts = self.passed == self.nth
        if acts:
            self._act()
        return self.passed >= self.nth

    async def gather(self, name: str) -> None:
        """Pass the point and wait there for the nth."""
        end = time.monotonic() + GATHER_SECONDS
        is_over = self.hit(name)
        while not is_over and time.monotonic() < end:
            await asyncio.sleep(0.01)
            is_over = self.passed >= self.nth

    def _act(self) -> None:
        (self.folder / f"fired-{os.getpid()}").write_text(self.name)
        os.kill(os.getpid(), self.signal)
        time.sleep(0.2)  # a signal to all threads may reach this one a moment later


def fired(folder: Path, pid: int) -> bool:
    """Whether the failpoint of this process has acted."""
    return (folder / f"fired-{pid}").exists()


def install(said: str, folder: Path) -> None:
    """Wrap the engine in this process."""
    point = Failpoint(said, folder)
    for step, (module, name) in STEPS.items():
        function = getattr(module, name)
        replace_everywhere(function, _step(point, step, function))
    replace_everywhere(states.move, _move(point, states.move))
    replace_everywhere(note.note, _note(point, note.note))
    BaseDatabaseWrapper.commit = _commit(point, BaseDatabaseWrapper.commit)
    for kind in registry():
        adapter = registry()[kind]
        adapter.send = _send(point, adapter.send)
    aiohttp.ClientResponse.start = _start(point, aiohttp.ClientResponse.start)


def replace_everywhere(original: Callable[..., Any], wrapper: Callable[..., Any]) -> None:
    """Put the wrapper wherever a module of ours has the original."""
    count = 0
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in ("schedules", "channels"):
            continue
        for attribute, value in list(vars(module).items()):
            if value is original:
                setattr(module, attribute, wrapper)
                count += 1
    assert count, f"{original} is used nowhere"


def _step(point: Failpoint, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        _now_in.step, _now_in.moved = step, 0
        try:
            if step == "mark" or (step == "settle" and args[0]):
                point.hit(f"{step}.before")
            result = function(*args, **kwargs)
            if step == "mark":
                point.hit("mark.after")
            return result
        finally:
            _now_in.step = ""

    return call


def _move(point: Failpoint, move: Callable[..., int]) -> Callable[..., int]:
    @wraps(move)
    def call(*args: Any, **kwargs: Any) -> int:
        moved = move(*args, **kwargs)
        _now_in.moved = getattr(_now_in, "moved", 0) + moved
        if getattr(_now_in, "step", "") == "mark":
            point.hit("mark.between")
        return moved

    return call


def _note(point: Failpoint, function: Callable[..., Any]) -> Callable[..., Any]:
    """An endpoint has answered, and it is to be written."""

    @wraps(function)
    def call(*args: Any) -> None:
        point.hit("post.answered")
        function(*args)

    return call


def _commit(point: Failpoint, commit: Callable[..., None]) -> Callable[..., None]:
    @wraps(commit)
    def call(connection: Any) -> None:
        step = getattr(_now_in, "step", "")
        if step in ("claim", "sweep") and not _now_in.moved:
            step = ""  # it found nothing to do
        if step in IN_TRANSACTION:
            point.hit(f"{step}.before_commit")
        commit(connection)
        if step in IN_TRANSACTION:
            point.hit(f"{step}.after_commit")

    return call


def _send(point: Failpoint, send: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(send)
    async def call(*args: Any, **kwargs: Any) -> Any:
        await point.gather("wire.before")
        _is_sending.set(True)
        receipt = await send(*args, **kwargs)
        await point.gather("wire.answered")
        return receipt

    return call


def _start(point: Failpoint, start: Callable[..., Any]) -> Callable[..., Any]:
    """aiohttp calls it when it begins to wait for the answer."""

    @wraps(start)
    async def call(response: Any, connection: Any) -> Any:
        if _is_sending.get():
            writer = getattr(response, "_writer", None)
            if writer is not None:
                await asyncio.wait([writer])
            await point.gather("wire.written")
        return await start(response, connection)

    return call
