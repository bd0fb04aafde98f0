"""Every operation of the OpenAPI document, with the ids of somebody else's rows filled in."""

from dataclasses import dataclass, field
from typing import Any

from config.scoped.document import document
from tests.tenants.canaries import Canaries
from tests.tenants.routes import MISSING, OWNERS

# A POST that changes nothing; and one that asks for no row, so that there is none to be foreign.
READING = ("get", "head")
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one address; `foreign` has somebody's ids in it, `missing` those of nobody."""

    method: str
    path: str
    foreign: str
    missing: str
    parameters: list[Any] = field(default_factory=list, hash=False)

    @property
    def names_a_row(self) -> bool:
        return self.foreign != self.missing

    @property
    def needs_more(self) -> bool:
        """Whether it answers nothing without a query: which days, say."""
        return any(p["in"] == "query" and p.get("required") for p in self.parameters)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations(canaries: Canaries) -> list[Operation]:
    """All of them. Fails for an id of which it does not know whose it is."""
    return [
        Operation(method, path, *filled(path, canaries), described.get("parameters", []))
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
        if method in METHODS
    ]


def filled(path: str, canaries: Canaries) -> tuple[str, str]:
    """What follows /api/v1, with each id filled in."""
    foreign, missing = [], []
    for segment in path.removeprefix("/api/v1/").split("/"):
        if not segment.startswith("{"):
            foreign.append(segment)
            missing.append(segment)
            continue
        owners = (OWNERS.get(one) for one in reversed(foreign))
        owner = next((one for one in owners if one in canaries.rows), None)
        assert owner, f"whose id stands in {path}?"
        foreign.append(
            "2026-03-02T09:00:00Z" if segment == "{at}" else str(canaries.rows[owner].pk)
        )
        missing.append("2026-03-02T09:00:00Z" if segment == "{at}" else str(MISSING))
    return "/" + "/".join(foreign), "/" + "/".join(missing)
