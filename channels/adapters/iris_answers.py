"""What the answers of a room bot’s device mean."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the device said. `data` is None where that was no JSON object."""

    status: int
    data: dict[str, Any] | None

    @property
    def is_its_own_no(self) -> bool:
        """Iris says status, IrisLite success; what stands in between says something else."""
        data = self.data or {}
        return data.get("status") is False or data.get("success") is False

    @property
    def evidence(self) -> dict[str, Any]:
        return {"status": self.status, "answer": self.data or {}}


def answer_of(status: int, body: bytes) -> Answer:
    return Answer(status, json_object(body))


def json_object(body: bytes | str) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
