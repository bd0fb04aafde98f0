"""Celery with `eta`: one task for each room, sent ahead, held by the workers until its time.

Set up as in celery_app.py. All are sent over one connection to the broker; the visibility
timeout is longer than any eta, as the documents demand.
"""

from datetime import UTC, datetime

from .base import Peer, prepare
from .celery_app import make_app, workers
from .message import address

__all__ = ["PEER", "app", "prepare", "register"]

PEER = Peer(
    name="celery-eta",
    processes=lambda count: workers("peers.celery_eta", count),
)

app = make_app("celery-eta", fixups=[])


def register(rooms: int, due_at: float) -> None:
    eta = datetime.fromtimestamp(due_at, UTC)
    task = app.tasks["push"]
    with app.producer_or_acquire() as producer:
        for number in range(rooms):
            task.apply_async([address(number)], eta=eta, producer=producer)
