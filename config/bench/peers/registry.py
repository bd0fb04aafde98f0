"""Which peers there are. A peer is loaded only when it is asked for: its packages are optional."""

from importlib import import_module

from config.bench.peers.base import Peer

MODULES = {
    "celery-eta": "celery_eta",
    "apscheduler": "apscheduler",
    "celery-beat": "celery_beat",
    "procrastinate": "procrastinate",
}
ALL = "all"


def load(names: list[str]) -> list[Peer]:
    """The peers of these names, each once; raises RuntimeError where a package is missing."""
    wanted = list(MODULES) if ALL in names else list(dict.fromkeys(names))
    return [_load(name) for name in wanted]


def _load(name: str) -> Peer:
    try:
        peer: Peer = import_module(f"config.bench.peers.{MODULES[name]}").PEER
    except ImportError as error:
        raise RuntimeError(
            f"The peer {name} cannot be loaded ({error}). "
            "Install what the peers need: pip install -r requirements-peers.txt"
        ) from error
    return peer
