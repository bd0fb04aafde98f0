"""Celery's side: the tick that beat sends, and the loop that each worker carries.

No task carries data: a lost message loses nothing, a repeated one repeats nothing.
"""

from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_shutdown, worker_shutting_down

from schedules.dispatch.fence import Fence
from schedules.dispatch.hour import turn
from schedules.dispatch.plan import plan
from schedules.dispatch.resident import resident
from schedules.dispatch.sweep import sweep
from schedules.dispatch.threads import connect
from schedules.models import Heartbeat

_fence = Fence()


@shared_task(name="schedules.tasks.tick")
def tick() -> int:
    """Plan and sweep, then wake this worker's sender. Returns the number of runs planned."""
    connect()
    _fence.look()  # a tick may come before this worker's loop has looked
    clock, planned = _fence.clock, 0
    while count := plan(clock.now()):
        planned += count
    sweep(clock.now())
    Heartbeat.beat(Heartbeat.Kind.TICK, "beat", clock.now())
    resident.wake()
    return planned


@shared_task(name="schedules.tasks.hour")
def hour() -> bool:
    """Do what is to be done once an hour, unless a worker has. Returns whether this one did."""
    connect()
    _fence.look()
    return turn(_fence.clock.now())


@worker_init.connect
def start_sender(**_: Any) -> None:
    """Before Celery looks for its broker, which may be away for long."""
    resident.start()


@worker_shutting_down.connect
def stop_sender(**_: Any) -> None:
    resident.stop()


@worker_shutdown.connect
def wait_for_sender(**_: Any) -> None:
    resident.wait()
