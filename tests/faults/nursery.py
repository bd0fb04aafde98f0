"""Starts workers and beats within tens of milliseconds: all is loaded once, each is a fork.

As a process it reads orders, a line of JSON each, and says what began and what ended:

    {"id": 1, "command": ["worker", …], "settings": {…}, "log": "…"}
    → {"id": 1, "pid": 4711}   … and later …   {"pid": 4711, "ended": -9}

`python -m tests.faults.nursery --one ORDER` becomes that process itself, without a fork.
"""

import gc
import json
import os
import select
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

PRELOADED = ("celery.bin.celery", "celery.bin.worker", "celery.apps.worker", "celery.beat",
             "django_celery_beat.schedulers", "kombu.transport.redis", "linebot.v3.messaging",
             "aiohttp", "tests.faults.naive", "tests.faults.failpoints")  # fmt: skip


def load() -> None:
    """Import what every worker imports, and open nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  (the environment is read first)

    django.setup()
    import_module("config.celery").app.loader.import_default_modules()
    for name in PRELOADED:
        import_module(name)
    gc.freeze()


def become(order: dict[str, Any]) -> None:
    """Be the worker or beat that is ordered."""
    from django.conf import settings  # noqa: PLC0415  (must not be loaded before `load`)

    from config import checks  # noqa: PLC0415
    from config.celery import app  # noqa: PLC0415
    from tests.faults import failpoints, naive, wrong_clock  # noqa: PLC0415

    for name, value in order.get("settings", {}).items():
        setattr(settings, name, value)
    if order.get("timeout"):
        _answer_within(order["timeout"], checks)
    for name in order.get("naive", []):
        naive.install(name)
    if order.get("failpoint"):
        failpoints.install(order["failpoint"], Path(order["folder"]))
    if order.get("minutes_ahead"):
        wrong_clock.install(order["minutes_ahead"])
    app.start(order["command"])


def _answer_within(seconds: float, checks: Any) -> None:
    """Channels answer within some seconds, so that a lease can be as short."""
    from channels.adapters import registry  # noqa: PLC0415

    for adapter in registry().values():
        adapter.timeout = seconds
    checks.LONGEST_ANSWER = seconds


def main() -> None:
    """Fork what is ordered until the orders end; then end all."""
    load()
    children: set[int] = set()
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _say(ready=True)
    orders = b""
    while True:
        readable, _, _ = select.select([0, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            _bury(children)
        if 0 in readable:
            received = os.read(0, 65536)
            if not received:
                break
            *lines, orders = (orders + received).split(b"\n")
            for line in lines:
                _bear(json.loads(line), children, (wake_read, wake_write))
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _bear(order: dict[str, Any], children: set[int], pipe: tuple[int, int]) -> None:
    pid = os.fork()
    if pid:
        children.add(pid)
        _say(id=order["id"], pid=pid)
        return
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in pipe:
            os.close(end)
        os.setsid()
        _redirect(order["log"])
        become(order)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # a fork must never go on as its parent
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _redirect(log: str) -> None:
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(target, 1)
    os.dup2(target, 2)


def _bury(children: set[int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        children.discard(pid)
        _say(pid=pid, ended=os.waitstatus_to_exitcode(status))


def _say(**words: Any) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        load()
        become(json.loads(sys.argv[2]))
    else:
        main()
