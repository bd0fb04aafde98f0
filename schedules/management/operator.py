"""Who acts on the command line."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from logs.history import Origin, origin


@dataclass(frozen=True)
class Operator:
    """Whoever sits at this machine's command line. They could change the tables as well."""

    name: str
    pk: None = None
    is_active: bool = True
    is_superuser: bool = True
    is_authenticated: bool = True

    def get_username(self) -> str:
        return self.name


def operator() -> Operator:
    """The user of this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = "operator"
    return Operator(name)


@contextmanager
def as_command() -> Iterator[None]:
    """The history says that what happens meanwhile came by a command."""
    token = origin.set(Origin(via="command"))
    try:
        yield
    finally:
        origin.reset(token)
